package io.distributedlock.store.redis;

import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;

import io.distributedlock.spi.LockStore;
import io.distributedlock.store.redis.server.RedisServerProcess;
import io.distributedlock.test.KindsContractTests;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * Every kind of lock, of three JVMs over one Redis.
 */
class KindsOnRedisTests extends KindsContractTests {

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

	@Override
	protected void assertNothingLeft() {
		assertThat(redis.command("KEYS", "lock:*")).doesNotContain("kinds")
			.doesNotContain("account")
			.doesNotContain("desk");
	}

}
