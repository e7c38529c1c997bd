package io.distributedlock.spring;

import io.distributedlock.Lease;
import io.distributedlock.LockLostException;

/**
 * Keeps the key of a lease taken after the work was done.
 */
final class Kept {

	private Kept() {
	}

	/**
	 * Keeps the key if the lease is held. Whoever closes the lease is told of a loss, so
	 * that it is not told here.
	 * @param lease the lease
	 */
	static void ifHeld(Lease lease) {
		if (!lease.isHeld()) {
			return;
		}
		try {
			lease.keep();
		}
		catch (LockLostException ex) {
			// In this moment. There is nothing left to keep.
		}
	}

}
