package io.distributedlock.boot.autoconfigure.observation;

import io.micrometer.observation.Observation;
import io.micrometer.observation.ObservationConvention;

/**
 * Names and key values of {@link LockObservationDocumentation#ACQUIRE}. A bean of this
 * type takes the place of the default.
 */
public interface LockAcquireObservationConvention extends ObservationConvention<LockAcquireObservationContext> {

	@Override
	default boolean supportsContext(Observation.Context context) {
		return context instanceof LockAcquireObservationContext;
	}

}
