package io.distributedlock.store.redis;

import java.time.Duration;
import java.util.Objects;
import java.util.Optional;

import javax.net.ssl.HostnameVerifier;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLSocketFactory;

import org.apache.commons.pool2.impl.GenericObjectPoolConfig;
import org.springframework.data.redis.connection.RedisConfiguration;
import org.springframework.data.redis.connection.RedisConnectionFactory;
import org.springframework.data.redis.connection.jedis.JedisClientBuilderCustomizer;
import org.springframework.data.redis.connection.jedis.JedisClientConfigBuilderCustomizer;
import org.springframework.data.redis.connection.jedis.JedisClientConfiguration;
import org.springframework.data.redis.connection.jedis.JedisConnectionFactory;

/**
 * A second Jedis connection factory with the application's settings and a small pool of
 * our own (rule R1).
 */
final class JedisClient implements BlockingClient {

	private static final int PARALLELISM = 8;

	private final JedisConnectionFactory connections;

	private final String address;

	private final boolean cluster;

	JedisClient(RedisConnectionFactory application, Duration timeout) {
		this(application, timeout, false);
	}

	private JedisClient(RedisConnectionFactory application, Duration timeout, boolean single) {
		JedisConnectionFactory theirs = (JedisConnectionFactory) application;
		this.address = address(application);
		OwnConfiguration ours = new OwnConfiguration(theirs.getClientConfiguration(), timeout, pool(timeout));
		if (theirs.getClusterConfiguration() != null) {
			this.connections = new JedisConnectionFactory(theirs.getClusterConfiguration(), ours);
		}
		else if (theirs.getSentinelConfiguration() != null) {
			this.connections = new JedisConnectionFactory(theirs.getSentinelConfiguration(), ours);
		}
		else {
			this.connections = new JedisConnectionFactory(Objects.requireNonNull(theirs.getStandaloneConfiguration()),
					ours);
		}
		this.cluster = isCluster(application);
		if (single && !this.cluster) {
			this.connections.setUseUnifiedJedis(false);
		}
		try {
			this.connections.afterPropertiesSet();
			this.connections.start();
		}
		catch (RuntimeException ex) {
			throw RedisErrors.translate(ex, this.address);
		}
	}

	/**
	 * Makes a client each of whose connections stays with one server and is for one user
	 * at a time. In a Cluster only those of a node are so.
	 */
	static JedisClient ofSingleConnections(RedisConnectionFactory application, Duration timeout) {
		return new JedisClient(application, timeout, true);
	}

	static boolean handles(RedisConnectionFactory application) {
		return application instanceof JedisConnectionFactory;
	}

	static boolean isCluster(RedisConnectionFactory application) {
		return ((JedisConnectionFactory) application).getClusterConfiguration() != null;
	}

	/**
	 * Names the servers of the application's connection factory.
	 */
	static String address(RedisConnectionFactory application) {
		JedisConnectionFactory theirs = (JedisConnectionFactory) application;
		RedisConfiguration servers = theirs.getClusterConfiguration();
		if (servers == null) {
			servers = theirs.getSentinelConfiguration();
		}
		if (servers == null) {
			servers = theirs.getStandaloneConfiguration();
		}
		if (servers == null) {
			throw new IllegalArgumentException(application + " has no server configuration");
		}
		return Servers.address(servers);
	}

	private static GenericObjectPoolConfig<?> pool(Duration timeout) {
		GenericObjectPoolConfig<Object> pool = new GenericObjectPoolConfig<>();
		// One more for the subscription.
		pool.setMaxTotal(PARALLELISM + 1);
		pool.setMaxIdle(PARALLELISM + 1);
		pool.setMaxWait(timeout);
		pool.setJmxEnabled(false);
		return pool;
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
		return this.address;
	}

	@Override
	public int parallelism() {
		return PARALLELISM;
	}

	@Override
	public void close() {
		this.connections.destroy();
	}

	/**
	 * The application's client settings, with our pool and timeout.
	 */
	private record OwnConfiguration(JedisClientConfiguration theirs, Duration timeout,
			GenericObjectPoolConfig<?> pool) implements JedisClientConfiguration {

		@Override
		public Optional<JedisClientConfigBuilderCustomizer> getClientConfigCustomizer() {
			return this.theirs.getClientConfigCustomizer();
		}

		@Override
		public Optional<JedisClientBuilderCustomizer> getClientCustomizer() {
			return this.theirs.getClientCustomizer();
		}

		@Override
		public boolean isUseSsl() {
			return this.theirs.isUseSsl();
		}

		@Override
		public Optional<SSLSocketFactory> getSslSocketFactory() {
			return this.theirs.getSslSocketFactory();
		}

		@Override
		public Optional<SSLParameters> getSslParameters() {
			return this.theirs.getSslParameters();
		}

		@Override
		public Optional<HostnameVerifier> getHostnameVerifier() {
			return this.theirs.getHostnameVerifier();
		}

		@Override
		public boolean isUsePooling() {
			return true;
		}

		@Override
		public Optional<GenericObjectPoolConfig<?>> getPoolConfig() {
			return Optional.of(this.pool);
		}

		@Override
		public Optional<String> getClientName() {
			return this.theirs.getClientName();
		}

		@Override
		public Duration getConnectTimeout() {
			return this.timeout;
		}

		@Override
		public Duration getReadTimeout() {
			return this.timeout;
		}

	}

}
