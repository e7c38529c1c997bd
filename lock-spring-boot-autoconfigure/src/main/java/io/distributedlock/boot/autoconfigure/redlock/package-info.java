/**
 * Auto-configuration of the lock store over several independent Redis servers.
 */
@NullMarked
package io.distributedlock.boot.autoconfigure.redlock;

import org.jspecify.annotations.NullMarked;
