package io.distributedlock.boot.autoconfigure.observation;

import io.micrometer.common.KeyValues;

/**
 * Default {@link LockHoldObservationConvention}.
 */
public class DefaultLockHoldObservationConvention implements LockHoldObservationConvention {

	@Override
	public String getName() {
		return "lock.hold";
	}

	@Override
	public String getContextualName(LockHoldObservationContext context) {
		return "lock.hold " + context.getLockKey().name();
	}

	@Override
	public KeyValues getLowCardinalityKeyValues(LockHoldObservationContext context) {
		return LockKeyValues.lowCardinality(context);
	}

	@Override
	public KeyValues getHighCardinalityKeyValues(LockHoldObservationContext context) {
		return LockKeyValues.highCardinality(context);
	}

}
