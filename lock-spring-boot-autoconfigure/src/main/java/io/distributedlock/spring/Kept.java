package io.distributedlock.spring;

import io.distributedlock.LockLostException;

/**
 * Keeps keys taken after the work was done.
 */
final class Kept {

	private Kept() {
	}

	/**
	 * Keeps the keys if their leases are held. Whoever closes them is told of a loss, so
	 * that it is not told here.
	 * @param held the locks
	 */
	static void ifHeld(HeldLocks held) {
		if (!held.isHeld()) {
			return;
		}
		try {
			held.keep();
		}
		catch (LockLostException ex) {
			// In this moment. There is nothing left to keep.
		}
	}

}
