package io.distributedlock.spi;

import java.time.Duration;

import io.distributedlock.LockKey;

/**
 * Asks for more fencing tokens for a grant, and for its full ttl, unless others wait.
 *
 * @param key which lock
 * @param attempt names the grant
 * @param ttl how long the grant lives from now without renewal
 * @param tokens how many further tokens the grant should have
 * @param timeout after this time without an answer the command fails
 */
public record ExtendCommand(LockKey key, AttemptId attempt, Duration ttl, int tokens, Duration timeout) {
}
