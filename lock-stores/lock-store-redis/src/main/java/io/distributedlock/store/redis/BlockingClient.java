package io.distributedlock.store.redis;

import org.springframework.data.redis.connection.RedisConnectionFactory;

/**
 * A connection factory for clients that block, with what a transport has to know of it.
 */
interface BlockingClient extends AutoCloseable {

	/**
	 * Returns the factory whose connections are used.
	 */
	RedisConnectionFactory connections();

	/**
	 * Tells whether keys are spread over a cluster.
	 */
	boolean cluster();

	/**
	 * Names the server, for messages.
	 */
	String address();

	/**
	 * Returns how many commands may be under way at once.
	 */
	int parallelism();

	/**
	 * Connects anew: where the connections lead has become a replica.
	 */
	default void renew() {
	}

	@Override
	void close();

}
