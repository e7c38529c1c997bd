package io.distributedlock.boot.autoconfigure;

/**
 * There is nothing that keeps locks.
 */
final class NoLockStoreException extends IllegalStateException {

	private static final long serialVersionUID = 1L;

	private final boolean memoryChosen;

	NoLockStoreException(boolean memoryChosen) {
		super(memoryChosen
				? "distributed-lock.store is 'memory', but io.distributedlock:lock-test is not on the classpath."
				: "There is no lock store: add a store to the classpath or define a LockStore bean.");
		this.memoryChosen = memoryChosen;
	}

	boolean memoryChosen() {
		return this.memoryChosen;
	}

}
