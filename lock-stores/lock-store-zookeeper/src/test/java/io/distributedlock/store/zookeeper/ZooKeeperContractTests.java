package io.distributedlock.store.zookeeper;

import java.time.Duration;

import io.distributedlock.spi.LockStore;
import io.distributedlock.test.FairContractTests;
import io.distributedlock.test.InspectQueueContractTests;
import io.distributedlock.test.LockStoreContractTests;
import io.distributedlock.test.MessageContractTests;
import io.distributedlock.test.MultiContractTests;
import io.distributedlock.test.PermitContractTests;
import io.distributedlock.test.SharedContractTests;
import io.distributedlock.test.SignalContractTests;

/**
 * The contract of stores, on real servers.
 */
abstract class ZooKeeperContractTests extends LockStoreContractTests
		implements SignalContractTests, MessageContractTests, InspectQueueContractTests, SharedContractTests,
		PermitContractTests, FairContractTests, MultiContractTests {

	abstract String connectString();

	@Override
	protected LockStore createStore(String instance) {
		return ZooKeeperLockStore.builder(connectString())
			.instanceId(instance)
			.tickTime(Duration.ofSeconds(1))
			.ttl(Duration.ofSeconds(60))
			.build();
	}

}
