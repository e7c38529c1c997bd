package io.distributedlock.containers;

import io.distributedlock.spi.LockStore;
import io.distributedlock.store.redis.RedisLockStore;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.testcontainers.containers.GenericContainer;

import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.boot.test.context.TestConfiguration;
import org.springframework.boot.testcontainers.service.connection.ServiceConnection;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Import;
import org.springframework.data.redis.connection.lettuce.LettuceConnectionFactory;

/**
 * An application on Valkey 8, which is a bean of the test's configuration. Boot must be
 * told that it is a kind of Redis.
 */
@Import(Valkey8ServiceConnectionTests.Containers.class)
class Valkey8ServiceConnectionTests extends ShopInContainers {

	@RegisterExtension
	static final RequiredImage image = new RequiredImage(ServerContainer.VALKEY_8);

	@Autowired
	private GenericContainer<?> server;

	@Override
	LockStore otherInstance() {
		return RedisLockStore
			.builder(new LettuceConnectionFactory(this.server.getHost(), this.server.getFirstMappedPort()))
			.build();
	}

	@TestConfiguration(proxyBeanMethods = false)
	static class Containers {

		@Bean
		@ServiceConnection(name = "redis")
		GenericContainer<?> valkey() {
			return ServerContainer.redisBean(ServerContainer.VALKEY_8);
		}

	}

}
