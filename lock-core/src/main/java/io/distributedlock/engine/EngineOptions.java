package io.distributedlock.engine;

/**
 * How the engine works, in nanoseconds where it is a time.
 *
 * @param handoffLeases leases of one block, and thus of one turn of this JVM
 * @param handoffTime longest turn of this JVM while others may wait
 * @param recheck how often a waiting JVM asks the store again
 * @param commandTimeout longest time for a store command
 * @param deadlockThreshold after which wait a deadlock is looked for,
 * {@link DeadlockDetector#NEVER} for none
 */
record EngineOptions(int handoffLeases, long handoffTime, long recheck, long commandTimeout, long deadlockThreshold) {

	/**
	 * A command that takes longer than a sixth of the ttl leaves too few tries for a
	 * renewal.
	 */
	long commandTimeout(long ttl) {
		return Math.min(this.commandTimeout, ttl / 6);
	}

}
