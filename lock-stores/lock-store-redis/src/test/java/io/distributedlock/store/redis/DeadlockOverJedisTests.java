package io.distributedlock.store.redis;

import java.util.ArrayList;
import java.util.List;

import org.junit.jupiter.api.AfterAll;
import org.springframework.data.redis.connection.RedisConnectionFactory;
import org.springframework.data.redis.connection.RedisStandaloneConfiguration;
import org.springframework.data.redis.connection.jedis.JedisConnectionFactory;

/**
 * Deadlocks of JVMs that use Jedis.
 */
class DeadlockOverJedisTests extends DeadlockOnRedisTests {

	private static final List<JedisConnectionFactory> factories = new ArrayList<>();

	@Override
	RedisConnectionFactory factory() {
		JedisConnectionFactory factory = new JedisConnectionFactory(
				new RedisStandaloneConfiguration("127.0.0.1", redis.port()));
		factory.afterPropertiesSet();
		factory.start();
		factories.add(factory);
		return factory;
	}

	// After each test its engines are closed, which need them.
	@AfterAll
	static void destroy() {
		factories.forEach(JedisConnectionFactory::destroy);
	}

}
