package io.distributedlock.spi;

import java.time.Duration;

import org.jspecify.annotations.Nullable;

/**
 * Answer to an {@link AcquireCommand}.
 */
public sealed interface AcquireReply {

	/**
	 * The lock is held under the command's attempt. Counted by the store, the ttl began
	 * no earlier than the command was sent.
	 *
	 * @param firstToken first fencing token of the grant
	 * @param tokens how many consecutive tokens it has, one or more
	 */
	record Granted(long firstToken, int tokens) implements AcquireReply {
	}

	/**
	 * Somebody else has the lock.
	 *
	 * @param holder the JVM that holds it or that it is reserved for, or null if the
	 * store cannot tell
	 * @param freeIn how long the store keeps it for that holder without renewal; asking
	 * again after this time is never too early
	 * @param queued true if this JVM now has a place in the store's queue and will be
	 * signalled
	 */
	record Refused(@Nullable String holder, Duration freeIn, boolean queued) implements AcquireReply {
	}

}
