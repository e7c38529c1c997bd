package io.distributedlock.store.redis;

import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;

import io.distributedlock.spi.LockStore;
import io.distributedlock.store.redis.server.RedisServerProcess;
import io.distributedlock.test.DowngradeContractTests;
import io.distributedlock.test.FairContractTests;
import io.distributedlock.test.InspectContractTests;
import io.distributedlock.test.InspectQueueContractTests;
import io.distributedlock.test.LockStoreContractTests;
import io.distributedlock.test.MessageContractTests;
import io.distributedlock.test.MultiContractTests;
import io.distributedlock.test.PermitContractTests;
import io.distributedlock.test.QueueContractTests;
import io.distributedlock.test.SharedContractTests;
import io.distributedlock.test.SignalContractTests;

/**
 * The contract of all stores, on the fast path.
 */
class RedisLettuceContractTests extends LockStoreContractTests implements QueueContractTests, SignalContractTests,
		MessageContractTests, InspectContractTests, InspectQueueContractTests, SharedContractTests,
		DowngradeContractTests, PermitContractTests, FairContractTests, MultiContractTests {

	static RedisServerProcess redis;

	@BeforeAll
	static void start() {
		redis = RedisServerProcess.start();
	}

	@AfterAll
	static void stop() {
		redis.close();
	}

	@Override
	protected LockStore createStore(String instance) {
		return RedisLockStore.builder(StoreFixture.lettuceFactory(redis.port())).instanceId(instance).build();
	}

}
