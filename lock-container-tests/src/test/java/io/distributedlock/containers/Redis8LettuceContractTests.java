package io.distributedlock.containers;

import org.junit.jupiter.api.extension.RegisterExtension;

/**
 * The contract of all stores, on the fast path to Redis 8.
 */
class Redis8LettuceContractTests extends RedisContract {

	@RegisterExtension
	static final ServerContainer server = ServerContainer.redis(ServerContainer.REDIS_8);

	@Override
	ServerContainer server() {
		return server;
	}

	@Override
	String expectedServer() {
		return "redis_version=8.";
	}

}
