/**
 * The actuator endpoint that shows who holds and who waits, and releases a lock by force.
 */
@NullMarked
package io.distributedlock.boot.autoconfigure.endpoint;

import org.jspecify.annotations.NullMarked;
