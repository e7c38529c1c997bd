package io.distributedlock.spi;

import java.time.Duration;

import io.distributedlock.LockKey;

/**
 * Asks for a grant.
 *
 * @param key which lock
 * @param attempt names the grant; the same attempt asked again gets the same grant, with
 * its full ttl once more
 * @param ttl how long the grant lives without renewal
 * @param tokens how many fencing tokens the grant should have, one or more; the store may
 * give fewer, but at least one
 * @param repeated true if this attempt was sent before, so that the store may have a
 * grant, a reservation or a queue entry for it
 * @param timeout after this time without an answer the command fails, and the store must
 * not execute it any more
 */
public record AcquireCommand(LockKey key, AttemptId attempt, Duration ttl, int tokens, boolean repeated,
		Duration timeout) {
}
