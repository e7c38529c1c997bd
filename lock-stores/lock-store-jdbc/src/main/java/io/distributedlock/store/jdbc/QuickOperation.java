package io.distributedlock.store.jdbc;

import java.time.Duration;

import io.distributedlock.LockKey;
import io.distributedlock.spi.AttemptId;

/**
 * An operation that one statement can do for many locks, if nobody waits for them.
 *
 * @param <R> type of the result
 */
abstract class QuickOperation<R> extends Operation<R> {

	private final AttemptId attempt;

	private final Duration ttl;

	private final int tokens;

	QuickOperation(LockKey key, AttemptId attempt, Duration ttl, int tokens, long deadline, Lane lane) {
		super(key, deadline, lane);
		this.attempt = attempt;
		this.ttl = ttl;
		this.tokens = tokens;
	}

	final AttemptId attempt() {
		return this.attempt;
	}

	final Duration ttl() {
		return this.ttl;
	}

	final int tokens() {
		return this.tokens;
	}

	/** Rounded up: the client counts on all of it. */
	final long ttlMicros() {
		return (this.ttl.toNanos() + 999) / 1000;
	}

	/**
	 * Returns the answer if the statement did it.
	 * @param firstToken of those that it gave, if it gave any
	 */
	abstract R done(long firstToken);

	/**
	 * Takes the answer that the statement did it.
	 */
	final void answeredDone(long firstToken) {
		answered(done(firstToken));
	}

}
