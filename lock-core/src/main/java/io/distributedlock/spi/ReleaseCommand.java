package io.distributedlock.spi;

import java.time.Duration;

import io.distributedlock.LockKey;

/**
 * Gives a grant back.
 *
 * @param key which lock
 * @param attempt names the grant; a lock that another attempt holds is never touched
 * @param keepFor zero to free the lock; else it stays taken, by nobody, for this time
 * from now, and no waiter is served before
 * @param timeout after this time without an answer the command fails
 */
public record ReleaseCommand(LockKey key, AttemptId attempt, Duration keepFor, Duration timeout) {
}
