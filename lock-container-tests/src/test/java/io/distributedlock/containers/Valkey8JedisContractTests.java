package io.distributedlock.containers;

import org.junit.jupiter.api.extension.RegisterExtension;

/**
 * The contract of all stores, over connections to Valkey 8 that block.
 */
class Valkey8JedisContractTests extends RedisContract {

	@RegisterExtension
	static final ServerContainer server = ServerContainer.redis(ServerContainer.VALKEY_8);

	@Override
	ServerContainer server() {
		return server;
	}

	@Override
	String expectedServer() {
		return "valkey_version=8.";
	}

	@Override
	boolean jedis() {
		return true;
	}

}
