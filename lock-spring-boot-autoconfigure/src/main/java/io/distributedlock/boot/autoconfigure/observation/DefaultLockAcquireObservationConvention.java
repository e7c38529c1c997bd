package io.distributedlock.boot.autoconfigure.observation;

import io.micrometer.common.KeyValues;

/**
 * Default {@link LockAcquireObservationConvention}.
 */
public class DefaultLockAcquireObservationConvention implements LockAcquireObservationConvention {

	@Override
	public String getName() {
		return "lock.acquire";
	}

	@Override
	public String getContextualName(LockAcquireObservationContext context) {
		return "lock.acquire " + context.getLockKey().name();
	}

	@Override
	public KeyValues getLowCardinalityKeyValues(LockAcquireObservationContext context) {
		return LockKeyValues.lowCardinality(context);
	}

	@Override
	public KeyValues getHighCardinalityKeyValues(LockAcquireObservationContext context) {
		return LockKeyValues.highCardinality(context);
	}

}
