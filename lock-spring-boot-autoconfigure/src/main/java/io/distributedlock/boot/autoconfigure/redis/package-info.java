/**
 * Auto-configuration of the lock store in Redis.
 */
@NullMarked
package io.distributedlock.boot.autoconfigure.redis;

import org.jspecify.annotations.NullMarked;
