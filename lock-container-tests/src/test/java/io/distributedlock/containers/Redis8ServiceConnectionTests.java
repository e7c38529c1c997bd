package io.distributedlock.containers;

import io.distributedlock.spi.LockStore;
import io.distributedlock.store.redis.RedisLockStore;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.testcontainers.containers.GenericContainer;

import org.springframework.boot.testcontainers.service.connection.ServiceConnection;
import org.springframework.data.redis.connection.lettuce.LettuceConnectionFactory;

/**
 * An application on Redis 8, found through a field of the test.
 */
class Redis8ServiceConnectionTests extends ShopInContainers {

	@RegisterExtension
	static final ServerContainer server = ServerContainer.redis(ServerContainer.REDIS_8);

	@ServiceConnection
	static final GenericContainer<?> container = server.container();

	@Override
	LockStore otherInstance() {
		return RedisLockStore.builder(new LettuceConnectionFactory(server.host(), server.port())).build();
	}

}
