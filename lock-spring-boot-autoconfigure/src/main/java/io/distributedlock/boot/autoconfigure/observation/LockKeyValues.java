package io.distributedlock.boot.autoconfigure.observation;

import io.distributedlock.boot.autoconfigure.observation.LockObservationDocumentation.HighCardinalityKeyNames;
import io.distributedlock.boot.autoconfigure.observation.LockObservationDocumentation.LowCardinalityKeyNames;
import io.micrometer.common.KeyValue;
import io.micrometer.common.KeyValues;

/**
 * The key values that both default conventions share.
 */
final class LockKeyValues {

	private LockKeyValues() {
	}

	static KeyValues lowCardinality(LockObservationContext context) {
		String outcome = context.getOutcome();
		return KeyValues.of(LowCardinalityKeyNames.LOCK_NAME.withValue(context.getLockKey().name()),
				LowCardinalityKeyNames.LOCK_STORE.withValue(context.getStore()),
				LowCardinalityKeyNames.OUTCOME.withValue((outcome != null) ? outcome : KeyValue.NONE_VALUE));
	}

	static KeyValues highCardinality(LockObservationContext context) {
		KeyValues values = KeyValues.of(HighCardinalityKeyNames.LOCK_KEY.withValue(context.getLockKey().id()));
		return (context.getFencingToken() != 0)
				? values.and(HighCardinalityKeyNames.LOCK_TOKEN.withValue(Long.toString(context.getFencingToken())))
				: values;
	}

}
