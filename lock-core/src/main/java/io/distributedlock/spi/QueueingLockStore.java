package io.distributedlock.spi;

import java.time.Duration;
import java.util.concurrent.CompletionStage;

/**
 * A store that keeps one queue of waiting JVMs for each key. It has one entry per JVM; a
 * newer attempt of a JVM takes the place of its older one. An entry that is not refreshed
 * by {@link #acquireOrEnqueue} expires.
 */
public interface QueueingLockStore extends LockStore {

	/**
	 * Returns how long a lock that was released is kept for the waiting JVM whose turn it
	 * is.
	 * @return the time; callers ask again at least twice as often
	 */
	Duration reservation();

	/**
	 * Grants the lock like {@link #acquire}, or else puts the attempt into the queue, or
	 * refreshes its entry there.
	 * @param command what is asked for
	 * @return the answer
	 */
	CompletionStage<AcquireReply> acquireOrEnqueue(AcquireCommand command);

	/**
	 * Gives a grant back and puts this JVM's next attempt at the end of the queue, in one
	 * step. If nobody else waits, the successor has the lock at once. Like an acquire,
	 * the store must not execute it after its timeout; sent again, it gives the same
	 * result as long as the successor has something.
	 * @param command what to give back; its {@code keepFor} is zero
	 * @param successor the next attempt of this JVM for the same key
	 * @return the answer
	 */
	CompletionStage<ReleaseReply> releaseAndEnqueue(ReleaseCommand command, Successor successor);

	/**
	 * The next attempt of the JVM that releases.
	 *
	 * @param attempt names the grant to come
	 * @param ttl how long it lives without renewal
	 * @param tokens how many fencing tokens it should have
	 */
	record Successor(AttemptId attempt, Duration ttl, int tokens) {
	}

}
