package io.distributedlock.store.redis;

import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Predicate;

import io.lettuce.core.AbstractRedisClient;
import io.lettuce.core.ClientOptions;
import io.lettuce.core.ReadFrom;
import io.lettuce.core.RedisClient;
import io.lettuce.core.RedisConnectionException;
import io.lettuce.core.RedisURI;
import io.lettuce.core.SocketOptions;
import io.lettuce.core.SslVerifyMode;
import io.lettuce.core.TimeoutOptions;
import io.lettuce.core.api.StatefulConnection;
import io.lettuce.core.cluster.ClusterClientOptions;
import io.lettuce.core.cluster.ClusterTopologyRefreshOptions;
import io.lettuce.core.cluster.RedisClusterClient;
import io.lettuce.core.cluster.models.partitions.RedisClusterNode;
import io.lettuce.core.codec.ByteArrayCodec;
import io.lettuce.core.protocol.CommandType;
import io.lettuce.core.protocol.ProtocolKeyword;
import io.lettuce.core.protocol.RedisCommand;
import io.lettuce.core.pubsub.StatefulRedisPubSubConnection;
import io.lettuce.core.resource.ClientResources;
import io.lettuce.core.resource.DefaultClientResources;
import io.lettuce.core.resource.DefaultEventLoopGroupProvider;
import io.lettuce.core.resource.Delay;
import io.lettuce.core.resource.EventLoopGroupProvider;
import org.jspecify.annotations.Nullable;
import org.springframework.beans.DirectFieldAccessor;
import org.springframework.data.redis.connection.RedisConfiguration;
import org.springframework.data.redis.connection.RedisStandaloneConfiguration;
import org.springframework.data.redis.connection.RedisStaticMasterReplicaConfiguration;
import org.springframework.data.redis.connection.lettuce.LettuceClientConfiguration;
import org.springframework.data.redis.connection.lettuce.LettuceConnectionFactory;
import org.springframework.data.redis.connection.lettuce.LettuceConnectionProvider;
import org.springframework.data.redis.connection.lettuce.RedisCredentialsProviderFactory;

/**
 * A Lettuce client of our own, made from the settings of the application's connection
 * factory (rule R1): same servers, credentials and TLS, but other threads, and options
 * that never send a command twice.
 */
final class LettuceClient implements AutoCloseable {

	private static final Duration FIRST_RECONNECT = Duration.ofMillis(20);

	private static final Duration SLOWEST_RECONNECT = Duration.ofMillis(500);

	private static final Duration RETRY_SUBSCRIPTION = Duration.ofSeconds(1);

	private static final Duration TOPOLOGY_REFRESH = Duration.ofSeconds(10);

	private static final Duration ADAPTIVE_REFRESH = Duration.ofSeconds(1);

	private static final Duration REFRESH_PAUSE = Duration.ofMillis(200);

	private static final int CLUSTER_IO_THREADS = 2;

	private final Factory factory;

	private final EventLoopGroupProvider loops;

	private final ClientResources resources;

	private final AbstractRedisClient client;

	private final @Nullable Factory signalFactory;

	private final @Nullable RedisClient signalClient;

	private final String address;

	private final AtomicBoolean refreshing = new AtomicBoolean();

	LettuceClient(LettuceConnectionFactory application, Duration timeout) {
		this(application, timeout, true);
	}

	private LettuceClient(LettuceConnectionFactory application, Duration timeout, boolean reconnect) {
		RedisConfiguration servers = servers(application);
		LettuceClientConfiguration theirs = application.getClientConfiguration();
		// With one thread, a signal and the command that answers it need no switch of
		// threads between them.
		this.loops = new DefaultEventLoopGroupProvider(
				(servers instanceof RedisConfiguration.ClusterConfiguration) ? CLUSTER_IO_THREADS : 1);
		this.resources = resources(theirs.getClientResources().orElse(null), this.loops);
		this.address = Servers.address(servers);
		ClientOptions options = options(theirs, timeout, reconnect,
				servers instanceof RedisConfiguration.ClusterConfiguration);
		OwnConfiguration ours = new OwnConfiguration(theirs, this.resources, timeout, options);
		this.factory = new Factory(servers, ours);
		this.client = (reconnect || !(servers instanceof RedisConfiguration.ClusterConfiguration))
				? this.factory.createClient() : plainClient(this.resources, options);
		// What a primary publishes reaches its replicas, so any node will do.
		this.signalFactory = (servers instanceof RedisStaticMasterReplicaConfiguration nodes)
				? new Factory(firstNode(nodes), ours) : null;
		this.signalClient = (this.signalFactory != null) ? (RedisClient) this.signalFactory.createClient() : null;
	}

	/**
	 * Makes a client whose connections end when they are lost, instead of going on with
	 * another server.
	 */
	static LettuceClient withoutReconnect(LettuceConnectionFactory application, Duration timeout) {
		return new LettuceClient(application, timeout, false);
	}

	private static RedisClient plainClient(ClientResources resources, ClientOptions options) {
		RedisClient client = RedisClient.create(resources);
		client.setOptions(options);
		return client;
	}

	/**
	 * Returns the servers of the application's connection factory.
	 */
	static RedisConfiguration servers(LettuceConnectionFactory application) {
		if (application.getClusterConfiguration() != null) {
			return application.getClusterConfiguration();
		}
		if (application.getSentinelConfiguration() != null) {
			return application.getSentinelConfiguration();
		}
		if (application.getSocketConfiguration() != null) {
			return application.getSocketConfiguration();
		}
		// The one configuration that has no getter.
		Object configuration = new DirectFieldAccessor(application).getPropertyValue("configuration");
		return (configuration instanceof RedisStaticMasterReplicaConfiguration nodes) ? nodes
				: application.getStandaloneConfiguration();
	}

	private static RedisStandaloneConfiguration firstNode(RedisStaticMasterReplicaConfiguration nodes) {
		RedisStandaloneConfiguration first = nodes.getNodes().get(0);
		RedisStandaloneConfiguration node = new RedisStandaloneConfiguration(first.getHostName(), first.getPort());
		node.setUsername(nodes.getUsername());
		node.setPassword(nodes.getPassword());
		node.setDatabase(nodes.getDatabase());
		return node;
	}

	/**
	 * Own threads, so that application code that blocks Lettuce's cannot stop renewals;
	 * and a reconnect that does not back off for half a minute.
	 */
	private static ClientResources resources(@Nullable ClientResources theirs, EventLoopGroupProvider loops) {
		DefaultClientResources.Builder builder = DefaultClientResources.builder()
			.eventLoopGroupProvider(loops)
			.computationThreadPoolSize(2)
			.reconnectDelay(Delay.exponential(FIRST_RECONNECT, SLOWEST_RECONNECT, 2, TimeUnit.MILLISECONDS));
		if (theirs != null) {
			builder.socketAddressResolver(theirs.socketAddressResolver())
				.addressResolverGroup(theirs.addressResolverGroup())
				.nettyCustomizer(theirs.nettyCustomizer())
				.tracing(theirs.tracing());
		}
		return builder.build();
	}

	private static ClientOptions options(LettuceClientConfiguration theirs, Duration timeout, boolean reconnect,
			boolean cluster) {
		ClientOptions base = theirs.getClientOptions().orElseGet(ClientOptions::create);
		SocketOptions socket = base.getSocketOptions().mutate().connectTimeout(timeout).keepAlive(true).build();
		if (!cluster) {
			return own(base.mutate().socketOptions(socket), reconnect).build();
		}
		ClusterClientOptions.Builder builder = (base instanceof ClusterClientOptions known) ? known.mutate()
				: ClusterClientOptions.builder(base);
		own(builder.socketOptions(socket), reconnect);
		if (!(base instanceof ClusterClientOptions known) || known.getTopologyRefreshOptions() == null
				|| !known.getTopologyRefreshOptions().isPeriodicRefreshEnabled()) {
			builder.topologyRefreshOptions(ClusterTopologyRefreshOptions.builder()
				.adaptiveRefreshTriggersTimeout(ADAPTIVE_REFRESH)
				.enablePeriodicRefresh(TOPOLOGY_REFRESH)
				.build());
		}
		return builder.build();
	}

	private static <B extends ClientOptions.Builder> B own(B builder, boolean reconnect) {
		builder.autoReconnect(reconnect)
			.disconnectedBehavior(ClientOptions.DisconnectedBehavior.REJECT_COMMANDS)
			.replayFilter(new NoReplay())
			.suspendReconnectOnProtocolFailure(false)
			.requestQueueSize(Integer.MAX_VALUE)
			.timeoutOptions(TimeoutOptions.builder().timeoutCommands(false).build());
		return builder;
	}

	boolean isCluster() {
		return this.client instanceof RedisClusterClient;
	}

	String address() {
		return this.address;
	}

	CompletionStage<StatefulConnection<byte[], byte[]>> connect() {
		if (this.client instanceof RedisClusterClient cluster) {
			return CompletableFuture.supplyAsync(cluster::getPartitions, LettuceClient::onOwnThread)
				.thenCompose((partitions) -> cluster.connectAsync(ByteArrayCodec.INSTANCE))
				.thenApply((connection) -> connection);
		}
		return this.factory.connect(this.client);
	}

	/**
	 * Learning the topology blocks, and the common pool may have no thread to spare.
	 */
	private static void onOwnThread(Runnable task) {
		Thread thread = new Thread(task, "distributed-lock-redis-topology");
		thread.setDaemon(true);
		thread.start();
	}

	/**
	 * Connects to one node of a Cluster.
	 */
	CompletionStage<StatefulConnection<byte[], byte[]>> connectTo(RedisURI node) {
		return ((RedisClient) this.client).connectAsync(ByteArrayCodec.INSTANCE, node)
			.thenApply((connection) -> connection);
	}

	/**
	 * Finds the primary of a Cluster that has a slot.
	 * @return how to reach it, null if none is known
	 */
	@Nullable RedisURI primaryOf(int slot) {
		RedisClusterNode node = ((RedisClusterClient) this.client).getPartitions().getMasterBySlot(slot);
		return (node != null) ? node.getUri() : null;
	}

	/**
	 * Makes a Cluster's topology known anew, in the background.
	 */
	void refreshTopology() {
		if (this.client instanceof RedisClusterClient cluster && this.refreshing.compareAndSet(false, true)) {
			cluster.refreshPartitionsAsync()
				.whenComplete((done, error) -> later(() -> this.refreshing.set(false), REFRESH_PAUSE.toNanos()));
		}
	}

	CompletionStage<StatefulRedisPubSubConnection<byte[], byte[]>> connectPubSub() {
		if (this.client instanceof RedisClusterClient cluster) {
			return cluster.connectPubSubAsync(ByteArrayCodec.INSTANCE).thenApply((connection) -> connection);
		}
		if (this.signalFactory != null && this.signalClient != null) {
			return this.signalFactory.connectPubSub(this.signalClient);
		}
		return this.factory.connectPubSub(this.client);
	}

	/**
	 * Runs something after a while, on a thread that may be kept for a moment.
	 */
	void later(Runnable action) {
		later(action, RETRY_SUBSCRIPTION.toNanos());
	}

	/**
	 * Runs something after so many nanoseconds.
	 */
	Future<?> later(Runnable action, long delay) {
		return this.resources.eventExecutorGroup().schedule(action, delay, TimeUnit.NANOSECONDS);
	}

	@Override
	public void close() {
		this.client.shutdownAsync(0, 1, TimeUnit.SECONDS)
			.thenCompose((done) -> (this.signalClient != null) ? this.signalClient.shutdownAsync(0, 1, TimeUnit.SECONDS)
					: CompletableFuture.completedFuture(null))
			.whenComplete((done, error) -> {
				this.resources.shutdown(0, 1, TimeUnit.SECONDS);
				// Resources leave alone what was given to them.
				this.loops.shutdown(0, 1, TimeUnit.SECONDS);
			});
	}

	/**
	 * Opens the parts of the factory that make clients and connections; as a factory it
	 * is never started.
	 */
	private static final class Factory extends LettuceConnectionFactory {

		Factory(RedisConfiguration servers, LettuceClientConfiguration configuration) {
			super(servers, configuration);
		}

		@Override
		protected AbstractRedisClient createClient() {
			return super.createClient();
		}

		@SuppressWarnings("unchecked")
		CompletionStage<StatefulConnection<byte[], byte[]>> connect(AbstractRedisClient client) {
			return provider(client).getConnectionAsync(StatefulConnection.class)
				.thenApply((connection) -> (StatefulConnection<byte[], byte[]>) connection);
		}

		@SuppressWarnings("unchecked")
		CompletionStage<StatefulRedisPubSubConnection<byte[], byte[]>> connectPubSub(AbstractRedisClient client) {
			return provider(client).getConnectionAsync(StatefulRedisPubSubConnection.class)
				.thenApply((connection) -> (StatefulRedisPubSubConnection<byte[], byte[]>) connection);
		}

		private LettuceConnectionProvider provider(AbstractRedisClient client) {
			return doCreateConnectionProvider(client, ByteArrayCodec.INSTANCE);
		}

	}

	/**
	 * Keeps Lettuce from sending a script again on the next connection, and tells its
	 * caller at once that it is lost.
	 */
	private static final class NoReplay implements Predicate<RedisCommand<?, ?, ?>> {

		private static final List<ProtocolKeyword> SCRIPTS = List.of(CommandType.EVALSHA, CommandType.EVAL);

		@Override
		public boolean test(@Nullable RedisCommand<?, ?, ?> command) {
			if (command == null || !SCRIPTS.contains(command.getType())) {
				return false;
			}
			command.completeExceptionally(new RedisConnectionException("Connection disconnected"));
			return true;
		}

	}

	/**
	 * The application's client settings, with our resources, options and timeout; and
	 * always the primary.
	 */
	private record OwnConfiguration(LettuceClientConfiguration theirs, ClientResources resources, Duration timeout,
			ClientOptions options) implements LettuceClientConfiguration {

		@Override
		public boolean isUseSsl() {
			return this.theirs.isUseSsl();
		}

		@Override
		@Deprecated
		public boolean isVerifyPeer() {
			return getVerifyMode() != SslVerifyMode.NONE;
		}

		@Override
		public SslVerifyMode getVerifyMode() {
			return this.theirs.getVerifyMode();
		}

		@Override
		public boolean isStartTls() {
			return this.theirs.isStartTls();
		}

		@Override
		public Optional<ClientResources> getClientResources() {
			return Optional.of(this.resources);
		}

		@Override
		public Optional<ClientOptions> getClientOptions() {
			return Optional.of(this.options);
		}

		@Override
		public Optional<String> getClientName() {
			return this.theirs.getClientName();
		}

		@Override
		public Optional<ReadFrom> getReadFrom() {
			return Optional.empty();
		}

		@Override
		public Optional<RedisCredentialsProviderFactory> getRedisCredentialsProviderFactory() {
			return this.theirs.getRedisCredentialsProviderFactory();
		}

		@Override
		public Duration getCommandTimeout() {
			return this.timeout;
		}

		@Override
		public Duration getShutdownTimeout() {
			return this.theirs.getShutdownTimeout();
		}

		@Override
		public Duration getShutdownQuietPeriod() {
			return this.theirs.getShutdownQuietPeriod();
		}

	}

}
