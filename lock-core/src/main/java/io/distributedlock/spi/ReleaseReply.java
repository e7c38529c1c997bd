package io.distributedlock.spi;

/**
 * Answer to a {@link ReleaseCommand}.
 */
public sealed interface ReleaseReply {

	/**
	 * The grant has ended.
	 *
	 * @param reserved true if the lock is now reserved for another JVM
	 */
	record Released(boolean reserved) implements ReleaseReply {
	}

	/**
	 * The grant has ended, and the successor that came with the command has the lock.
	 *
	 * @param firstToken first fencing token of the successor's grant
	 * @param tokens how many consecutive tokens it has, one or more
	 */
	record Succeeded(long firstToken, int tokens) implements ReleaseReply {
	}

	/**
	 * The grant has ended, another JVM is next, and the successor that came with the
	 * command waits in the queue.
	 *
	 * @param queued true if the successor has a place in the queue and will be signalled;
	 * false if it has to ask again
	 */
	record Queued(boolean queued) implements ReleaseReply {
	}

	/**
	 * The grant has ended, and the next in the queue, a fair attempt of the same JVM, has
	 * the lock.
	 *
	 * @param attempt which one
	 * @param token its fencing token
	 */
	record Passed(AttemptId attempt, long token) implements ReleaseReply {

	}

	/**
	 * The store has no such grant. Nothing was changed, and a successor that came with
	 * the command has nothing.
	 */
	record NotOwner() implements ReleaseReply {
	}

}
