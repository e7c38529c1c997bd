package io.distributedlock.engine;

import java.util.Comparator;

import io.distributedlock.LockKey;
import io.distributedlock.LockRequest;

/**
 * One of several locks that are asked for together.
 *
 * @param runtime where it is
 * @param request what is asked for
 * @param profile its resolved settings
 */
record Target(StoreRuntime runtime, LockRequest request, Profile profile) {

	/** The same for all callers of all JVMs, so that they cannot wait for each other. */
	static final Comparator<Target> ORDER = Comparator.comparing((Target target) -> target.runtime.name())
		.thenComparing((target) -> target.key().id());

	LockKey key() {
		return this.request.key();
	}

	boolean isSameLock(Target other) {
		return this.runtime == other.runtime && key().equals(other.key());
	}

	Target withWait(long nanos) {
		return new Target(this.runtime, this.request, new Profile(this.profile.terms(), nanos, this.profile.reads(),
				this.profile.fair(), this.profile.permits(), this.profile.sheds() && nanos > 0));
	}

}
