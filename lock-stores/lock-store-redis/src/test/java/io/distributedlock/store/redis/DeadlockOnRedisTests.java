package io.distributedlock.store.redis;

import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.springframework.data.redis.connection.RedisConnectionFactory;

import io.distributedlock.spi.LockStore;
import io.distributedlock.store.redis.server.RedisServerProcess;
import io.distributedlock.test.DeadlockContractTests;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

/**
 * Deadlocks of JVMs over one Redis, whose probes go over the channels of the signals.
 */
class DeadlockOnRedisTests extends DeadlockContractTests {

	static RedisServerProcess redis;

	@BeforeAll
	static void start() {
		redis = RedisServerProcess.start();
	}

	@AfterAll
	static void stop() {
		redis.close();
	}

	RedisConnectionFactory factory() {
		return StoreFixture.lettuceFactory(redis.port());
	}

	@Override
	protected LockStore createStore(String instance) {
		return RedisLockStore.builder(factory()).instanceId(instance).build();
	}

	@AfterEach
	void nothingIsLeft() {
		await().untilAsserted(
				() -> assertThat(redis.command("KEYS", "lock:*")).doesNotContain("ring").doesNotContain("order"));
	}

}
