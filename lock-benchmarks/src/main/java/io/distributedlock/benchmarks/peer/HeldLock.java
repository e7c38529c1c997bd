package io.distributedlock.benchmarks.peer;

/**
 * A lock that is held.
 */
@FunctionalInterface
public interface HeldLock {

	/**
	 * Gives it back, on the thread that took it.
	 * @throws Exception if the peer says so
	 */
	void unlock() throws Exception;

}
