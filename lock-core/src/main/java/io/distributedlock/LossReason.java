package io.distributedlock;

/**
 * Why a lease was lost.
 */
public enum LossReason {

	/**
	 * Its deadline passed without a renewal: the store was out of reach, the JVM paused,
	 * or renewal was off.
	 */
	EXPIRED,

	/** The store said that the lock belongs to somebody else or to nobody. */
	NOT_OWNER,

	/** An operator released the lock by force. */
	FORCE_RELEASED,

	/** It was held longer than its max-hold, so the watchdog let it expire. */
	MAX_HOLD,

	/** The thread that held it ended without giving it back, so it was not renewed. */
	OWNER_GONE

}
