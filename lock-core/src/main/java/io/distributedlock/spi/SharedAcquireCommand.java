package io.distributedlock.spi;

import java.time.Duration;

import io.distributedlock.LockKey;

/**
 * Asks for a grant that others may have at the same time.
 *
 * @param key which lock
 * @param attempt names the grant; the same attempt asked again gets the same grant, with
 * its full ttl once more
 * @param share with whom the lock is shared
 * @param ttl how long the grant lives without renewal
 * @param queue whether the attempt waits in the queue if it is refused, or refreshes its
 * place there
 * @param timeout after this time without an answer the command fails, and the store must
 * not execute it any more
 */
public record SharedAcquireCommand(LockKey key, AttemptId attempt, Share share, Duration ttl, boolean queue,
		Duration timeout) {

}
