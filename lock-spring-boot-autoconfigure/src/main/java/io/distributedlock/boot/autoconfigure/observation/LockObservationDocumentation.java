package io.distributedlock.boot.autoconfigure.observation;

import io.micrometer.common.docs.KeyName;
import io.micrometer.observation.Observation;
import io.micrometer.observation.ObservationConvention;
import io.micrometer.observation.docs.ObservationDocumentation;

/**
 * The observations about locks. They only make spans: the meters of the same names are
 * recorded directly, and would be counted twice otherwise.
 */
public enum LockObservationDocumentation implements ObservationDocumentation {

	/** The attempt to get a lock, from the call to its outcome. */
	ACQUIRE {

		@Override
		public Class<? extends ObservationConvention<? extends Observation.Context>> getDefaultConvention() {
			return DefaultLockAcquireObservationConvention.class;
		}

	},

	/** The time that a lock is held, from the grant to the release or the loss. */
	HOLD {

		@Override
		public Class<? extends ObservationConvention<? extends Observation.Context>> getDefaultConvention() {
			return DefaultLockHoldObservationConvention.class;
		}

	};

	@Override
	public KeyName[] getLowCardinalityKeyNames() {
		return LowCardinalityKeyNames.values();
	}

	@Override
	public KeyName[] getHighCardinalityKeyNames() {
		return HighCardinalityKeyNames.values();
	}

	/**
	 * Keys with few values.
	 */
	public enum LowCardinalityKeyNames implements KeyName {

		/** What the lock protects. */
		LOCK_NAME {

			@Override
			public String asString() {
				return "lock.name";
			}

		},

		/** The store that was asked. */
		LOCK_STORE {

			@Override
			public String asString() {
				return "lock.store";
			}

		},

		/** How it ended. */
		OUTCOME {

			@Override
			public String asString() {
				return "outcome";
			}

		}

	}

	/**
	 * Keys with many values.
	 */
	public enum HighCardinalityKeyNames implements KeyName {

		/** Name and key of the lock. */
		LOCK_KEY {

			@Override
			public String asString() {
				return "lock.key";
			}

		},

		/** The fencing token, if there is a lease. */
		LOCK_TOKEN {

			@Override
			public String asString() {
				return "lock.token";
			}

		}

	}

}
