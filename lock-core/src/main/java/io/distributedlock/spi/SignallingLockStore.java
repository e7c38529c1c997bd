package io.distributedlock.spi;

/**
 * A store that tells a JVM when something it waits for has happened. Signals are hints:
 * they may be lost or doubled, and never say that a lock is held.
 */
public interface SignallingLockStore extends LockStore {

	/**
	 * Registers the one receiver of signals. Called once, before the first command.
	 * @param receiver called on the store's I/O threads; it returns soon
	 */
	void subscribe(SignalReceiver receiver);

	/**
	 * Receives signals.
	 */
	interface SignalReceiver {

		/**
		 * The lock is reserved for an attempt, which should ask for it now.
		 * @param keyId {@link io.distributedlock.LockKey#id()} of the lock
		 * @param attempt the attempt that it is reserved for
		 */
		void reserved(String keyId, AttemptId attempt);

		/**
		 * A grant was ended by force.
		 * @param keyId {@link io.distributedlock.LockKey#id()} of the lock
		 * @param attempt the grant that ended
		 */
		void revoked(String keyId, AttemptId attempt);

		/**
		 * Signals may have been lost: all that waits should ask again.
		 */
		void resumed();

	}

}
