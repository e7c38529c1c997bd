package io.distributedlock.test;

import io.distributedlock.spi.LockStore;

/**
 * The contract on the clocks of the system.
 */
class InMemoryLockStoreTests extends LockStoreContractTests
		implements SignalContractTests, MessageContractTests, InspectQueueContractTests, SharedContractTests,
		DowngradeContractTests, PermitContractTests, FairContractTests, MultiContractTests {

	private final InMemoryLockServer server = InMemoryLockServer.create();

	@Override
	protected LockStore createStore(String instance) {
		return this.server.connect(instance);
	}

}
