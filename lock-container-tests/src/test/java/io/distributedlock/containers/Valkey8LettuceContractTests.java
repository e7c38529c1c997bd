package io.distributedlock.containers;

import org.junit.jupiter.api.extension.RegisterExtension;

/**
 * The contract of all stores, on the fast path to Valkey 8.
 */
class Valkey8LettuceContractTests extends RedisContract {

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

}
