package io.distributedlock.containers;

import io.distributedlock.spi.LockStore;
import io.distributedlock.store.redis.RedisLockStore;
import org.junit.jupiter.api.extension.RegisterExtension;

import org.springframework.data.redis.connection.lettuce.LettuceConnectionFactory;

/**
 * The engine over Valkey 8.
 */
class Valkey8EngineTests extends EngineInContainers {

	@RegisterExtension
	static final ServerContainer server = ServerContainer.redis(ServerContainer.VALKEY_8);

	@Override
	ServerContainer server() {
		return server;
	}

	@Override
	LockStore createStore(String instance) {
		return RedisLockStore.builder(new LettuceConnectionFactory(server.host(), server.port()))
			.instanceId(instance)
			.build();
	}

}
