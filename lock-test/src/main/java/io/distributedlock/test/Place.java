package io.distributedlock.test;

import java.time.Instant;

import io.distributedlock.spi.AttemptId;
import io.distributedlock.spi.Share;
import org.jspecify.annotations.Nullable;

/**
 * A place in the queue of a key. JVMs that want the lock for themselves have one each,
 * and so have JVMs with readers; callers that want strict order or a permit have one
 * each.
 */
final class Place {

	final Holder holder;

	final InMemoryLockStore client;

	/** Null if it waits to be alone. */
	final @Nullable Share share;

	final Instant since;

	AttemptId attempt;

	long expiresAt;

	Place(Holder holder, InMemoryLockStore client, AttemptId attempt, @Nullable Share share, Instant since) {
		this.holder = holder;
		this.client = client;
		this.attempt = attempt;
		this.share = share;
		this.since = since;
	}

	boolean isAlive(long now) {
		return now - this.expiresAt < 0;
	}

	/**
	 * Whose place it is.
	 *
	 * @param client the JVM
	 * @param shared whether it waits for a share
	 * @param attempt the caller, null if the place is for all callers of the JVM
	 */
	record Holder(InMemoryLockStore client, boolean shared, @Nullable AttemptId attempt) {

		static Holder jvm(InMemoryLockStore client) {
			return new Holder(client, false, null);
		}

		static Holder caller(InMemoryLockStore client, AttemptId attempt) {
			return new Holder(client, false, attempt);
		}

		static Holder sharer(InMemoryLockStore client, Share share, AttemptId attempt) {
			return new Holder(client, true, (share instanceof Share.Permits) ? attempt : null);
		}

	}

}
