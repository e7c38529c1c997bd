package io.distributedlock;

import java.time.Duration;

/**
 * Hears what happens to locks: the one seam for meters, events, logs and health.
 * Callbacks run outside all locks of the engine. Those about a caller's own acquire and
 * release run on that caller's thread; the others on a thread of the engine. They should
 * return soon; what they throw is logged and ignored.
 * <p>
 * Every lease that was {@linkplain #onAcquired acquired} is reported once more, as
 * {@linkplain #onReleased released} or as {@linkplain #onLost lost}, and never as both.
 * With nested leases the second report may come with another {@link Lease} object of the
 * same key, store and fencing token.
 */
public interface LockListener {

	/**
	 * A caller has begun to wait.
	 * @param key which lock
	 * @param store name of the store
	 */
	default void onWaiting(LockKey key, String store) {
	}

	/**
	 * A caller that had {@linkplain #onWaiting begun to wait} waits no longer, whatever
	 * the outcome.
	 * @param key which lock
	 * @param store name of the store
	 */
	default void onWaitingEnded(LockKey key, String store) {
	}

	/**
	 * A lock was granted. Nested leases are not reported.
	 * @param lease the lease
	 * @param waited from the call to the grant
	 */
	default void onAcquired(Lease lease, Duration waited) {
	}

	/**
	 * A lock was not had because of contention, interrupt or shutdown.
	 * @param key which lock
	 * @param store name of the store
	 * @param exception what the caller gets
	 * @param waited from the call to the refusal
	 */
	default void onRefused(LockKey key, String store, LockNotAcquiredException exception, Duration waited) {
	}

	/**
	 * A lock was not had because the store gave no usable answer.
	 * @param key which lock
	 * @param store name of the store
	 * @param exception what the caller gets
	 * @param waited from the call to the failure
	 */
	default void onFailed(LockKey key, String store, LockStoreException exception, Duration waited) {
	}

	/**
	 * A lock was not had because its holder waits, perhaps over others, for a lock that
	 * this caller holds. Reported once for each deadlock, in the JVM of the caller that
	 * gave up.
	 * @param key which lock
	 * @param store name of the store
	 * @param exception what the caller gets
	 * @param waited from the call to the exception
	 */
	default void onDeadlock(LockKey key, String store, DeadlockDetectedException exception, Duration waited) {
	}

	/**
	 * A lock was given back while it was held, by the last of its nested leases.
	 * @param lease the lease, released
	 * @param held from the grant to the release
	 */
	default void onReleased(Lease lease, Duration held) {
	}

	/**
	 * A lock was given back, but the store's answer stayed out. The store frees it after
	 * the ttl at the latest. Reported in addition to {@link #onReleased}.
	 * @param lease the lease, released
	 * @param cause what the store or its client said
	 */
	default void onReleaseUnconfirmed(Lease lease, Throwable cause) {
	}

	/**
	 * A lock was lost. Reported once for all nested leases.
	 * @param lease the lease, lost
	 * @param exception what {@link Lease#assertHeld()} throws from now on
	 * @param held from the grant to the moment the loss was noticed
	 */
	default void onLost(Lease lease, LockLostException exception, Duration held) {
	}

	/**
	 * A lock went from one holder of this JVM to the next without being free between.
	 * @param key which lock
	 * @param store name of the store
	 */
	default void onLocalHandoff(LockKey key, String store) {
	}

	/**
	 * A release reserved the lock for another JVM that waits.
	 * @param key which lock
	 * @param store name of the store
	 */
	default void onRemoteHandoff(LockKey key, String store) {
	}

	/**
	 * The watchdog had an answer to one batch of renewals.
	 * @param store name of the store
	 * @param renewed how many were renewed
	 * @param refused how many were refused, since they were no longer owner
	 * @param failed how many got no usable answer; they are tried again until their
	 * deadline
	 */
	default void onRenewals(String store, int renewed, int refused, int failed) {
	}

	/**
	 * A lock has been held for half of its max-hold.
	 * @param lease the lease
	 * @param held from the grant until now
	 */
	default void onLongHold(Lease lease, Duration held) {
	}

}
