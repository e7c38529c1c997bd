package io.distributedlock.store.redis;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.data.redis.connection.RedisConnection;
import org.springframework.data.redis.connection.RedisConnectionFactory;

import io.distributedlock.spi.StoreException;

/**
 * A connection factory of a kind we cannot make a second one of. Its connections are
 * shared with the application.
 */
final class ForeignClient implements BlockingClient {

	private static final Logger logger = LoggerFactory.getLogger(ForeignClient.class);

	private static final int PARALLELISM = 4;

	private final RedisConnectionFactory connections;

	private final boolean cluster;

	ForeignClient(RedisConnectionFactory connections) {
		this.connections = connections;
		logger.warn(
				"{} is neither Lettuce's nor Jedis's connection factory: locks have to share its connections with"
						+ " the application. Size its pool for {} more.",
				connections.getClass().getName(), PARALLELISM + 1);
		this.cluster = isCluster(connections);
	}

	private boolean isCluster(RedisConnectionFactory factory) {
		try (RedisConnection connection = factory.getConnection()) {
			return connection instanceof org.springframework.data.redis.connection.RedisClusterConnection;
		}
		catch (RuntimeException ex) {
			StoreException failure = RedisErrors.translate(ex, address());
			throw failure;
		}
	}

	@Override
	public RedisConnectionFactory connections() {
		return this.connections;
	}

	@Override
	public boolean cluster() {
		return this.cluster;
	}

	@Override
	public String address() {
		return this.connections.toString();
	}

	@Override
	public int parallelism() {
		return PARALLELISM;
	}

	@Override
	public void close() {
		// It belongs to the application.
	}

}
