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

	static RedisTransport open(RedisConnectionFactory application, Duration timeout, ReplicaRule replicas) {
		try {
			if (LETTUCE && Lettuce.handles(application)) {
				return Lettuce.open(application, timeout, replicas);
			}
			if (JEDIS && JedisClient.handles(application)) {
				return Jedis.open(application, timeout, replicas);
			}
			if (replicas.isOn()) {
				throw new StoreException(
						"Replicas can be waited for only with Lettuce's or Jedis's connection factory," + " not with "
								+ application.getClass().getName()
								+ ". Use one of them, or leave distributed-lock.redis.wait-replicas out.",
						false, false, null);
			}
			return new BlockingTransport(new ForeignClient(application), timeout, null);
		}
		catch (StoreException ex) {
			throw new StoreException(
					"Cannot use Redis for locks. " + ex.getMessage()
							+ (ex.isRetryable() ? " Is Redis running there, and are spring.data.redis.* right?" : ""),
					false, ex.isRetryable(), ex.getCause());
		}
	}

	/**
	 * Apart, so that nothing of Jedis is loaded without it.
	 */
	private static final class Jedis {

		private Jedis() {
		}

		static RedisTransport open(RedisConnectionFactory application, Duration timeout, ReplicaRule replicas) {
			JedisClient client = new JedisClient(application, timeout);
			return new BlockingTransport(client, timeout, replicas.isOn()
					? new JedisReplicaCalls(JedisClient.ofSingleConnections(application, timeout), replicas) : null);
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

		static RedisTransport open(RedisConnectionFactory application, Duration timeout, ReplicaRule replicas) {
			LettuceConnectionFactory factory = (LettuceConnectionFactory) application;
			LettuceClient client = new LettuceClient(factory, timeout);
			LettuceReplicaCalls replicaCalls = replicas.isOn()
					? new LettuceReplicaCalls(client, LettuceClient.withoutReconnect(factory, timeout), replicas)
					: null;
			return new LettuceTransport(client, timeout, replicaCalls);
		}

	}

}
