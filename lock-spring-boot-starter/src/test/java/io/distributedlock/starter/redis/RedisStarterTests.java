package io.distributedlock.starter.redis;

import io.distributedlock.boot.starter.StarterContractTests;
import io.distributedlock.store.redis.server.RedisServerProcess;

import org.springframework.boot.SpringBootConfiguration;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.boot.data.redis.autoconfigure.DataRedisConnectionDetails;
import org.springframework.boot.test.context.SpringBootTest;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Import;

/**
 * An application with this starter and nothing else.
 */
@SpringBootTest
class RedisStarterTests extends StarterContractTests {

	RedisStarterTests() {
		super("redis", "org.springframework.data.redis.connection.RedisConnectionFactory",
				"io.lettuce.core.RedisClient");
	}

	@SpringBootConfiguration(proxyBeanMethods = false)
	@EnableAutoConfiguration
	@Import(Beans.class)
	static class Application {

		@Bean
		RedisServerProcess server() {
			return RedisServerProcess.start();
		}

		@Bean
		DataRedisConnectionDetails connectionDetails(RedisServerProcess server) {
			return new DataRedisConnectionDetails() {
				@Override
				public Standalone getStandalone() {
					return Standalone.of("127.0.0.1", server.port());
				}
			};
		}

	}

}
