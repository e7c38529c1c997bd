package io.distributedlock.spi;

import java.time.Duration;

import io.distributedlock.LockKey;

/**
 * Asks to keep a grant.
 *
 * @param key which lock
 * @param attempt names the grant
 * @param ttl how long the grant lives from now without a further renewal
 * @param timeout after this time without an answer the command fails
 */
public record RenewCommand(LockKey key, AttemptId attempt, Duration ttl, Duration timeout) {
}
