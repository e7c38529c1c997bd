package io.distributedlock.engine;

import io.distributedlock.LockKey;

/**
 * One caller on the path of a probe: it holds what the caller before it waits for, and
 * waits itself.
 *
 * @param waitId names the wait, in all JVMs and for good
 * @param address what its JVM is called in the store of the lock that it holds; empty for
 * a caller that nobody has come to yet, or whose store has no names
 * @param hold names its hold of that lock within its JVM; zero where the address is empty
 * because nobody has come to it yet
 * @param owner on whose behalf, to show
 * @param key {@linkplain LockKey#id() id} of the lock that it waits for
 * @param kind how it wants that lock
 * @param since when it began to wait, in microseconds of its JVM's wall clock
 */
record WaitStep(String waitId, String address, long hold, String owner, String key, Kind kind, long since) {

	WaitStep reachedAt(String newAddress, long newHold) {
		return new WaitStep(this.waitId, newAddress, newHold, this.owner, this.key, this.kind, this.since);
	}

	/**
	 * Tells whether this caller began to wait later than another. All JVMs agree on it,
	 * though their clocks may not.
	 */
	boolean isYoungerThan(WaitStep other) {
		return (this.since != other.since) ? this.since > other.since : this.waitId.compareTo(other.waitId) > 0;
	}

	/**
	 * How a lock is held or wanted.
	 */
	enum Kind {

		/** By nobody else at the same time. */
		ALONE('a'),

		/** With others that read. */
		READING('r'),

		/** With as many others as there are permits. */
		PERMIT('p');

		final char letter;

		Kind(char letter) {
			this.letter = letter;
		}

		static Kind wantedBy(Profile profile) {
			if (profile.reads()) {
				return READING;
			}
			return (profile.permits() > 1) ? PERMIT : ALONE;
		}

		static Kind heldAt(KeyGate gate) {
			if (gate.isForReaders()) {
				return READING;
			}
			return gate.isShared() ? PERMIT : ALONE;
		}

		/**
		 * Tells whether who wants the lock in this way cannot have it before a certain
		 * holder has gone. Readers are not in each other's way, and who waits for a
		 * permit is content with the first one that comes free.
		 */
		boolean waitsFor(Kind held) {
			return this == ALONE || this != held;
		}

	}

}
