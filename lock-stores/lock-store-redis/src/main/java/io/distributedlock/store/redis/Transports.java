package io.distributedlock.store.redis;

import java.time.Duration;

import org.springframework.data.redis.connection.RedisConnectionFactory;
import org.springframework.data.redis.connection.lettuce.LettuceConnectionFactory;
import org.springframework.util.ClassUtils;

import io.distributedlock.spi.StoreException;

/**
 * Finds the transport for a connection factory. Neither client has to be on the
 * classpath.
 */
final class Transports {

	private static final boolean LETTUCE = isPresent("io.lettuce.core.RedisClient");

	private static final boolean JEDIS = isPresent("redis.clients.jedis.Jedis");

	private Transports() {
	}

	private static boolean isPresent(String type) {
		return ClassUtils.isPresent(type, Transports.class.getClassLoader());
	}

	/**
	 * Tells whether a connection factory is for a Cluster, as far as that can be told
	 * without connecting to it.
	 */
	static boolean isCluster(RedisConnectionFactory application) {
		return (LETTUCE && Lettuce.handles(application)) ? Lettuce.isCluster(application)
				: JEDIS && JedisClient.handles(application) && JedisClient.isCluster(application);
	}

	/**
	 * Names the server of a connection factory without connecting to it.
	 */
	static String address(RedisConnectionFactory application) {
		if (LETTUCE && Lettuce.handles(application)) {
			return Lettuce.address(application);
		}
		if (JEDIS && JedisClient.handles(application)) {
			return JedisClient.address(application);
		}
		return application.toString();
	}

	static RedisTransport open(RedisConnectionFactory application, Duration timeout) {
		try {
			if (LETTUCE && Lettuce.handles(application)) {
				return Lettuce.open(application, timeout);
			}
			if (JEDIS && JedisClient.handles(application)) {
				return new BlockingTransport(new JedisClient(application, timeout), timeout);
			}
			return new BlockingTransport(new ForeignClient(application), timeout);
		}
		catch (StoreException ex) {
			throw new StoreException(
					"Cannot use Redis for locks. " + ex.getMessage()
							+ (ex.isRetryable() ? " Is Redis running there, and are spring.data.redis.* right?" : ""),
					false, ex.isRetryable(), ex.getCause());
		}
	}

	/**
	 * Apart, so that nothing of Lettuce is loaded without it.
	 */
	private static final class Lettuce {

		private Lettuce() {
		}

		static boolean handles(RedisConnectionFactory application) {
			return application instanceof LettuceConnectionFactory;
		}

		static boolean isCluster(RedisConnectionFactory application) {
			return ((LettuceConnectionFactory) application).getClusterConfiguration() != null;
		}

		static String address(RedisConnectionFactory application) {
			return Servers.address(LettuceClient.servers((LettuceConnectionFactory) application));
		}

		static RedisTransport open(RedisConnectionFactory application, Duration timeout) {
			return new LettuceTransport(new LettuceClient((LettuceConnectionFactory) application, timeout), timeout);
		}

	}

}
