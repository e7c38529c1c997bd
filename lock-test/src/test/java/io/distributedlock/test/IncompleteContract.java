package io.distributedlock.test;

import io.distributedlock.spi.LockStore;

/**
 * The contract of a store that has all capabilities, without their suites.
 * {@link LockStoreContractCatchesBugsTests} runs it; by its name it is no test of the
 * build.
 */
class IncompleteContract extends LockStoreContractTests {

	private final InMemoryLockServer server = InMemoryLockServer.create();

	@Override
	protected LockStore createStore(String instance) {
		return this.server.connect(instance);
	}

}
