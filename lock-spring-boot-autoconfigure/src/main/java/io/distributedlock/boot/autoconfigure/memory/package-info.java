/**
 * Auto-configuration of the lock store within the JVM, for development and tests.
 */
@NullMarked
package io.distributedlock.boot.autoconfigure.memory;

import org.jspecify.annotations.NullMarked;
