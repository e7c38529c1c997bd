package io.distributedlock.benchmarks.lease;

import io.distributedlock.benchmarks.peer.HeldLock;

/**
 * A lock that can be asked whether it is still held.
 */
interface CheckedLock extends HeldLock {

	/**
	 * Asks the peer, on the thread that took the lock.
	 */
	boolean isHeld();

	/**
	 * Asks the server.
	 */
	boolean isStored();

}
