package io.distributedlock.boot.autoconfigure.observation;

import java.time.Instant;

import io.distributedlock.LockKey;
import io.micrometer.observation.Observation;
import org.jspecify.annotations.Nullable;

/**
 * What is known of a lock while it is observed.
 */
public abstract sealed class LockObservationContext extends Observation.Context
		permits LockAcquireObservationContext, LockHoldObservationContext {

	private final LockKey lockKey;

	private final String store;

	private final Instant startTime;

	private volatile @Nullable String outcome;

	private volatile long fencingToken;

	LockObservationContext(LockKey lockKey, String store, Instant startTime) {
		this.lockKey = lockKey;
		this.store = store;
		this.startTime = startTime;
	}

	/**
	 * Returns which lock this is about.
	 * @return the key
	 */
	public final LockKey getLockKey() {
		return this.lockKey;
	}

	/**
	 * Returns the name of the store.
	 * @return the store
	 */
	public final String getStore() {
		return this.store;
	}

	/**
	 * Returns when it began, which may be before the observation was started.
	 * @return the start of the span
	 */
	public final Instant getStartTime() {
		return this.startTime;
	}

	/**
	 * Returns how it ended, in lower case.
	 * @return the outcome, or null as long as it has not ended
	 */
	public final @Nullable String getOutcome() {
		return this.outcome;
	}

	final void setOutcome(String outcome) {
		this.outcome = outcome;
	}

	/**
	 * Returns the fencing token of the lease.
	 * @return the token, zero if there is no lease
	 */
	public final long getFencingToken() {
		return this.fencingToken;
	}

	final void setFencingToken(long fencingToken) {
		this.fencingToken = fencingToken;
	}

}
