package io.distributedlock.store.redis;

import java.time.Duration;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;

import javax.net.ssl.HostnameVerifier;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLSocketFactory;

import org.apache.commons.pool2.impl.GenericObjectPoolConfig;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
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

	private static final Logger logger = LoggerFactory.getLogger(JedisClient.class);

	private static final int PARALLELISM = 8;

	private static final Duration RENEWAL_PAUSE = Duration.ofSeconds(1);

	private final Supplier<JedisConnectionFactory> opener;

	private final String address;

	private final boolean cluster;

	private final boolean standalone;

	private final ReentrantLock mutex = new ReentrantLock();

	private long renewedAt = System.nanoTime() - RENEWAL_PAUSE.toNanos();

	private boolean closed;

	private volatile JedisConnectionFactory connections;

	JedisClient(RedisConnectionFactory application, Duration timeout) {
		this(application, timeout, false);
	}

	private JedisClient(RedisConnectionFactory application, Duration timeout, boolean single) {
		JedisConnectionFactory theirs = (JedisConnectionFactory) application;
		this.address = address(application);
		this.cluster = isCluster(application);
		this.standalone = !this.cluster && theirs.getSentinelConfiguration() == null;
		this.opener = () -> open(theirs, new OwnConfiguration(theirs.getClientConfiguration(), timeout, pool(timeout)),
				single);
		this.connections = this.opener.get();
	}

	private JedisConnectionFactory open(JedisConnectionFactory theirs, OwnConfiguration settings, boolean single) {
		JedisConnectionFactory ours;
		if (theirs.getClusterConfiguration() != null) {
			ours = new JedisConnectionFactory(theirs.getClusterConfiguration(), settings);
		}
		else if (theirs.getSentinelConfiguration() != null) {
			ours = new JedisConnectionFactory(theirs.getSentinelConfiguration(), settings);
		}
		else {
			ours = new JedisConnectionFactory(Objects.requireNonNull(theirs.getStandaloneConfiguration()), settings);
		}
		if (single && !this.cluster) {
			ours.setUseUnifiedJedis(false);
		}
		try {
			ours.afterPropertiesSet();
			ours.start();
		}
		catch (RuntimeException ex) {
			throw RedisErrors.translate(ex, this.address);
		}
		return ours;
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

	/**
	 * Sentinel and Cluster tell the client where the primary is; for a single server only
	 * a new connection finds out. What is under way ends on the old ones.
	 */
	@Override
	public void renew() {
		this.mutex.lock();
		try {
			long now = System.nanoTime();
			if (!this.standalone || this.closed || now - this.renewedAt < RENEWAL_PAUSE.toNanos()) {
				return;
			}
			this.renewedAt = now;
			JedisConnectionFactory old = this.connections;
			this.connections = this.opener.get();
			old.destroy();
			logger.info("Replaced the connections to Redis at {}, which were to a replica", this.address);
		}
		catch (RuntimeException ex) {
			logger.debug("The connections to Redis at {} stay as they are", this.address, ex);
		}
		finally {
			this.mutex.unlock();
		}
	}

	@Override
	public void close() {
		this.mutex.lock();
		try {
			this.closed = true;
			this.connections.destroy();
		}
		finally {
			this.mutex.unlock();
		}
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
