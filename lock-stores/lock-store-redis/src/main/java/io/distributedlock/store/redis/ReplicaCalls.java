package io.distributedlock.store.redis;

import java.util.List;

/**
 * Runs scripts and waits for replicas, on connections of its own (rules R1 and R9). WAIT
 * blocks its connection, so the connections of all other commands are never used for it.
 */
interface ReplicaCalls extends AutoCloseable {

	/**
	 * Does what {@link RedisTransport#runAndWait} says.
	 */
	void run(LockScript script, boolean withSource, List<byte[]> keys, List<byte[]> arguments,
			RedisTransport.ReplicatedAnswer answer);

	/**
	 * The server has not answered for a while, or is a replica now.
	 */
	void suspect();

	@Override
	void close();

}
