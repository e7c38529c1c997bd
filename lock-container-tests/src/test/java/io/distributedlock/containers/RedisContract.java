package io.distributedlock.containers;

import java.util.Properties;

import io.distributedlock.spi.LockStore;
import io.distributedlock.store.redis.RedisLockStore;
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
import org.junit.jupiter.api.Test;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import org.springframework.data.redis.connection.RedisConnection;
import org.springframework.data.redis.connection.RedisStandaloneConfiguration;
import org.springframework.data.redis.connection.jedis.JedisConnectionFactory;
import org.springframework.data.redis.connection.lettuce.LettuceConnectionFactory;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * The contract of all stores, on a Redis or what calls itself compatible with it.
 */
abstract class RedisContract extends LockStoreContractTests implements QueueContractTests, SignalContractTests,
		MessageContractTests, InspectContractTests, InspectQueueContractTests, SharedContractTests,
		DowngradeContractTests, PermitContractTests, FairContractTests, MultiContractTests {

	private static final Logger logger = LoggerFactory.getLogger(RedisContract.class);

	abstract ServerContainer server();

	/**
	 * Says which server this must be: a line of its INFO begins so.
	 */
	abstract String expectedServer();

	boolean jedis() {
		return false;
	}

	@Override
	protected LockStore createStore(String instance) {
		RedisStandaloneConfiguration address = new RedisStandaloneConfiguration(server().host(), server().port());
		return (jedis() ? RedisLockStore.builder(new JedisConnectionFactory(address))
				: RedisLockStore.builder(new LettuceConnectionFactory(address)))
			.instanceId(instance)
			.build();
	}

	@Test
	void theServerIsTheOneThatTheContractShallBeTestedOn() {
		LettuceConnectionFactory factory = new LettuceConnectionFactory(server().host(), server().port());
		factory.afterPropertiesSet();
		factory.start();
		try (RedisConnection connection = factory.getConnection()) {
			Properties info = connection.serverCommands().info("server");
			logger.info("{} runs on redis_version {}, valkey_version {}", getClass().getSimpleName(),
					info.get("redis_version"), info.get("valkey_version"));
			assertThat(info.entrySet()).anyMatch((entry) -> entry.toString().startsWith(expectedServer()));
		}
		finally {
			factory.destroy();
		}
	}

}
