package io.distributedlock.spi;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletionStage;

/**
 * A store whose queue can also keep single callers, each with a place of its own, so that
 * they are served strictly in the order in which they came (rule S4).
 * <p>
 * A free lock with a queue goes to its first living entry: a fair attempt is granted only
 * if no other waits before it. Who re-checks after a reservation or a grant has expired
 * makes the queue advance. Grants of fair attempts are renewed, released and abandoned
 * like others.
 */
public interface FairLockStore extends QueueingLockStore {

	/**
	 * Asks for one lock for several callers at once, in the order in which they came,
	 * each with an attempt of its own. Those that do not get it have a place in the queue
	 * afterwards, or their place is refreshed.
	 * @param commands what is asked for, all of one key, each for one token
	 * @return one answer for each command, in order; at most one of them is a grant that
	 * was not there before
	 */
	CompletionStage<List<AcquireReply>> acquireInOrder(List<AcquireCommand> commands);

	/**
	 * Gives a grant back. If the next in the queue is a fair attempt of the same JVM, it
	 * has the lock at once.
	 * @param command what to give back; its {@code keepFor} is zero
	 * @param ttl how long that attempt's grant lives without renewal
	 * @return the answer; {@link ReleaseReply.Passed} if an attempt of this JVM has the
	 * lock now. Not to be sent again: what became of an attempt is told when it asks
	 */
	CompletionStage<ReleaseReply> releaseInOrder(ReleaseCommand command, Duration ttl);

}
