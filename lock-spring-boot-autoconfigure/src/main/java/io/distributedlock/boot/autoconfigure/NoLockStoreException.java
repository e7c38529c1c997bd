package io.distributedlock.boot.autoconfigure;

/**
 * There is nothing that keeps locks.
 */
final class NoLockStoreException extends IllegalStateException {

	private static final long serialVersionUID = 1L;

	NoLockStoreException() {
		super("There is no lock store: add a store to the classpath or define a LockStore bean.");
	}

}
