package io.distributedlock.boot.autoconfigure.observation;

import java.time.Instant;

import io.distributedlock.LockKey;

/**
 * Context of {@link LockObservationDocumentation#ACQUIRE}: the attempt to get a lock. Its
 * outcome is {@code acquired}, {@code busy}, {@code timed_out}, {@code interrupted},
 * {@code shutting_down} or {@code error}.
 */
public final class LockAcquireObservationContext extends LockObservationContext {

	LockAcquireObservationContext(LockKey lockKey, String store, Instant startTime) {
		super(lockKey, store, startTime);
	}

}
