package io.distributedlock;

import java.util.Optional;

/**
 * What became of one lock of {@link LockTemplate#tryAcquireEach}.
 */
public sealed interface LockOutcome {

	/**
	 * Returns which lock this is about.
	 * @return the key
	 */
	LockKey key();

	/**
	 * Returns the lease, if there is one.
	 * @return the lease; empty if the lock was refused or the store gave no answer
	 */
	default Optional<Lease> lease() {
		return (this instanceof Granted granted) ? Optional.of(granted.held()) : Optional.empty();
	}

	/**
	 * The lock is held.
	 *
	 * @param held its lease, for the caller to release
	 */
	record Granted(Lease held) implements LockOutcome {

		@Override
		public LockKey key() {
			return this.held.key();
		}

	}

	/**
	 * Somebody else holds the lock, or this instance shuts down.
	 *
	 * @param key which lock
	 * @param reason what {@link LockTemplate#acquire} would have thrown
	 */
	record Refused(LockKey key, LockNotAcquiredException reason) implements LockOutcome {
	}

	/**
	 * The store gave no usable answer about this lock. Nothing is held.
	 *
	 * @param key which lock
	 * @param cause what {@link LockTemplate#acquire} would have thrown
	 */
	record Failed(LockKey key, LockStoreException cause) implements LockOutcome {
	}

}
