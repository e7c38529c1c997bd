package io.distributedlock.boot.autoconfigure.observation;

import java.time.Instant;

import io.distributedlock.LockKey;

/**
 * Context of {@link LockObservationDocumentation#HOLD}: the time that a lock is held. Its
 * outcome is {@code released} or {@code lost}.
 */
public final class LockHoldObservationContext extends LockObservationContext {

	LockHoldObservationContext(LockKey lockKey, String store, Instant startTime) {
		super(lockKey, store, startTime);
	}

}
