package io.distributedlock;

/**
 * The life of a {@link Lease}: held, then released or lost, and nothing else.
 */
public enum LeaseState {

	/** The lock was granted and has been neither released nor lost. */
	HELD,

	/** The holder gave the lock back in time. */
	RELEASED,

	/** The lock was gone before the holder gave it back. */
	LOST

}
