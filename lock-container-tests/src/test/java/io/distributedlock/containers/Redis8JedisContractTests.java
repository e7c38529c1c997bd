package io.distributedlock.containers;

import org.junit.jupiter.api.extension.RegisterExtension;

/**
 * The contract of all stores, over connections to Redis 8 that block.
 */
class Redis8JedisContractTests extends RedisContract {

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

	@Override
	boolean jedis() {
		return true;
	}

}
