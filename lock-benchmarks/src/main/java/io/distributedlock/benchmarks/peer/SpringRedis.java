package io.distributedlock.benchmarks.peer;

import org.springframework.data.redis.connection.RedisStandaloneConfiguration;
import org.springframework.data.redis.connection.lettuce.LettuceConnectionFactory;

/**
 * Spring Data Redis on Lettuce: one shared connection, as it comes.
 */
final class SpringRedis {

	private SpringRedis() {
	}

	static LettuceConnectionFactory connect(Address server) {
		LettuceConnectionFactory factory = new LettuceConnectionFactory(
				new RedisStandaloneConfiguration(server.host(), server.port()));
		factory.afterPropertiesSet();
		factory.start();
		return factory;
	}

}
