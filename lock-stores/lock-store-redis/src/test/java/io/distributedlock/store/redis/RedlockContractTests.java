package io.distributedlock.store.redis;

import java.time.Duration;

import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;

import io.distributedlock.spi.LockStore;
import io.distributedlock.test.InspectContractTests;
import io.distributedlock.test.LockStoreContractTests;

/**
 * The contract of all stores, on five servers.
 */
class RedlockContractTests extends LockStoreContractTests implements InspectContractTests {

	static RedlockFixture redlock;

	@BeforeAll
	static void start() {
		redlock = new RedlockFixture(5);
	}

	@AfterAll
	static void stop() {
		redlock.close();
	}

	@Override
	protected LockStore createStore(String instance) {
		// Above the pauses of a busy test machine.
		return redlock.builder().instanceId(instance).nodeTimeout(Duration.ofSeconds(2)).build();
	}

}
