package io.distributedlock.spring.event;

import java.time.Duration;

import io.distributedlock.LockKey;
import io.distributedlock.LockNotAcquiredException;

/**
 * A lock was not had because of contention, interrupt or shutdown.
 *
 * @param key which lock
 * @param store name of the store
 * @param exception what the caller gets, with the reason
 * @param waited from the call to the refusal
 */
public record LockRefusedEvent(LockKey key, String store, LockNotAcquiredException exception, Duration waited) {
}
