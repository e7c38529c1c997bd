package io.distributedlock.store.redis;

import java.time.Duration;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;

import org.springframework.data.redis.connection.RedisConnectionFactory;

import io.distributedlock.LockInspector.StoredLock;
import io.distributedlock.LockKey;
import io.distributedlock.spi.AbandonCommand;
import io.distributedlock.spi.AcquireCommand;
import io.distributedlock.spi.AcquireReply;
import io.distributedlock.spi.AttemptId;
import io.distributedlock.spi.ExtendCommand;
import io.distributedlock.spi.ExtendReply;
import io.distributedlock.spi.InspectableLockStore;
import io.distributedlock.spi.ReleaseCommand;
import io.distributedlock.spi.ReleaseReply;
import io.distributedlock.spi.RenewCommand;
import io.distributedlock.spi.RenewReply;
import io.distributedlock.spi.StoreException;
import io.distributedlock.spi.StoreOptions;

/**
 * Locks that a majority of independent Redis servers has to agree on (Redlock). Three
 * servers stand the loss of one, five that of two. They must not be replicas of each
 * other, nor nodes of one Cluster.
 *
 * <h2>What happens</h2>
 * <ul>
 * <li><b>Acquire</b>: all servers are asked at once. With a majority the highest token is
 * written back to a majority, and the grant counts if there is still time left of its ttl
 * ({@code ttl - elapsed - 1 % - 2 ms}); {@link RedlockRound} says why that makes tokens
 * rise. Without a majority all is taken back.</li>
 * <li><b>Renewal</b> and <b>extension</b> need a majority as well. A renewal never makes
 * a record on a server that has lost it, not even when a majority still has it: records
 * come from acquires only, so that nothing that is late can bring one back. A lease that
 * lives through the loss of a majority of the servers' data, one after the other, is lost
 * and its holder is told.</li>
 * <li><b>Release</b> goes to all servers, and is repeated in the background where the
 * answer was lost. It is confirmed by a majority. The lock is not held any more if so
 * many servers say so that no majority can have it. Anything else is unknown.</li>
 * </ul>
 *
 * <h2>What the operator has to do</h2> A server that was restarted without its data has
 * forgotten who holds the lock, and could help a second holder to a majority. Keep it
 * away for longer than the longest ttl (30 s by default) before it starts again, for
 * example with {@code ExecStartPre=/bin/sleep 60} in its systemd unit; or let it write
 * each command to disk before it answers ({@code appendfsync always}). No client can do
 * this for it. Tokens rise even then: {@link RedlockRound}.
 *
 * <h2>What it cannot do</h2> There is no queue that all servers agree on, so waiting
 * callers of other JVMs ask again and again, and nobody is served in order. Callers of
 * one JVM still hand the lock to each other.
 * <p>
 * Safe for use by many threads. Close it when done; the application's connection
 * factories stay open.
 */
public final class RedlockLockStore implements InspectableLockStore {

	private static final Duration DROP_OLD = Duration.ofSeconds(10);

	private final String name;

	private final String instanceId;

	private final RedlockNodes nodes;

	private final RedlockConnections connections;

	private final RedlockContext context;

	private final RedlockVotes votes;

	private final ScheduledExecutorService connector = executor("connect");

	private final AtomicBoolean closed = new AtomicBoolean();

	private RedlockLockStore(Builder builder, RedlockNodes nodes, RedlockConnections connections) {
		this.name = builder.name;
		this.instanceId = builder.settings.instanceId;
		this.nodes = nodes;
		this.connections = connections;
		ScheduledExecutorService timer = executor("timer");
		Map<RedlockNode, RedlockSweeper> sweepers = new LinkedHashMap<>();
		nodes.all().forEach((node) -> sweepers.put(node, new RedlockSweeper(node, nodes.nodeTimeout(), timer)));
		this.context = new RedlockContext(nodes, sweepers, new RedlockAttempts(), timer);
		this.votes = new RedlockVotes(this.context);
		timer.scheduleWithFixedDelay(this.context.attempts()::dropOld, DROP_OLD.toMillis(), DROP_OLD.toMillis(),
				TimeUnit.MILLISECONDS);
		connections.keepTrying(this.connector);
	}

	private static ScheduledExecutorService executor(String purpose) {
		return Executors.newSingleThreadScheduledExecutor((task) -> {
			Thread thread = new Thread(task, "distributed-lock-redlock-" + purpose);
			thread.setDaemon(true);
			return thread;
		});
	}

	/**
	 * Starts to configure a store.
	 * @param nodes one connection factory for each server, at least three; their settings
	 * are used
	 * @return a builder with the defaults
	 */
	public static Builder builder(List<? extends RedisConnectionFactory> nodes) {
		return new Builder(nodes);
	}

	@Override
	public String name() {
		return this.name;
	}

	/**
	 * Returns the name under which this JVM holds locks in Redis.
	 * @return the name, unique to this store object
	 */
	public String instanceId() {
		return this.instanceId;
	}

	@Override
	public CompletionStage<AcquireReply> acquire(AcquireCommand command) {
		this.votes.noteTtl(command.ttl());
		return new RedlockAcquire(this.context, command).start();
	}

	@Override
	public CompletionStage<ExtendReply> extend(ExtendCommand command) {
		keep(command.attempt(), command.ttl());
		return new RedlockExtend(this.context, command, this.context.attempts().current(command.attempt())).start();
	}

	@Override
	public CompletionStage<List<RenewReply>> renew(List<RenewCommand> commands) {
		if (commands.isEmpty()) {
			return CompletableFuture.completedFuture(List.of());
		}
		commands.forEach((command) -> keep(command.attempt(), command.ttl()));
		return this.votes.renew(commands);
	}

	private void keep(AttemptId attempt, Duration ttl) {
		this.votes.noteTtl(ttl);
		this.context.attempts().keep(attempt, ttl);
	}

	@Override
	public CompletionStage<ReleaseReply> release(ReleaseCommand command) {
		return this.votes.release(command);
	}

	@Override
	public CompletionStage<Void> abandon(AbandonCommand command) {
		return this.votes.abandon(command);
	}

	@Override
	public CompletionStage<Optional<StoredLock>> inspect(LockKey key, Duration timeout) {
		return this.votes.inspect(key, timeout);
	}

	@Override
	public CompletionStage<Boolean> forceRelease(LockKey key, long token, Duration timeout) {
		return this.votes.forceRelease(key, token, timeout);
	}

	/**
	 * Looks for things that would harm locks: in each server what a single one is checked
	 * for, then servers that cannot be reached, an even number of them, and clocks that
	 * differ. Blocks for a few command timeouts at most.
	 * @return advice for the operator, one sentence or two for each finding, empty if all
	 * is well
	 * @throws StoreException if a server that answers cannot be used for locks at all
	 */
	public List<String> check() {
		return this.connections.check();
	}

	/**
	 * Returns how many attempts are still to be taken back from servers that did not
	 * answer, or have still to be answered by some.
	 */
	int leftBehind() {
		return this.context.attempts().open()
				+ this.context.sweepers().values().stream().mapToInt(RedlockSweeper::size).sum();
	}

	@Override
	public void close() {
		if (this.closed.compareAndSet(false, true)) {
			this.connector.shutdownNow();
			this.nodes.all().forEach(RedlockNode::close);
			// What it has still to do ends at once without servers, and answers somebody.
			this.context.timer().shutdown();
		}
	}

	@Override
	public String toString() {
		return "RedlockLockStore " + this.name + " at " + this.nodes.addresses();
	}

	/**
	 * Configures a {@link RedlockLockStore}.
	 */
	public static final class Builder {

		private static final int FEWEST = 3;

		private final List<RedisConnectionFactory> servers;

		private final RedisLockStore.Builder settings;

		private String name = "redlock";

		private Duration nodeTimeout = Duration.ofMillis(500);

		private Builder(List<? extends RedisConnectionFactory> servers) {
			if (servers.size() < FEWEST) {
				throw new IllegalArgumentException("Redlock has " + servers.size()
						+ " servers. It needs at least three independent ones: list them in"
						+ " distributed-lock.redlock.nodes, or use the store \"redis\" with one.");
			}
			Set<String> addresses = new HashSet<>();
			for (RedisConnectionFactory server : servers) {
				String address = Transports.address(server);
				if (Transports.isCluster(server)) {
					throw new IllegalArgumentException("The Redlock server " + address + " is a Redis Cluster."
							+ " Redlock needs single servers that know nothing of each other. Use the store \"redis\""
							+ " for the Cluster.");
				}
				if (!addresses.add(address)) {
					throw new IllegalArgumentException("The Redlock server " + address + " is listed twice, and would"
							+ " have two votes. Correct distributed-lock.redlock.nodes.");
				}
			}
			this.servers = List.copyOf(servers);
			this.settings = RedisLockStore.builder(servers.get(0));
		}

		/**
		 * Sets the name under which the store is configured and shown.
		 * @param name the name, {@code redlock} by default
		 * @return this
		 */
		public Builder name(String name) {
			this.name = name;
			return this;
		}

		/**
		 * Sets what all keys in Redis begin with. It must not be used by a store on one
		 * of the servers.
		 * @param prefix the prefix, {@code lock:} by default
		 * @return this
		 */
		public Builder prefix(String prefix) {
			this.settings.prefix(prefix);
			return this;
		}

		/**
		 * Sets the name of this JVM in Redis. No two stores may have the same at the same
		 * time.
		 * @param instanceId letters, digits, dots, hyphens and underscores; by default
		 * made of host, process and chance
		 * @return this
		 */
		public Builder instanceId(String instanceId) {
			this.settings.instanceId(instanceId);
			return this;
		}

		/**
		 * Sets how long one server may take to answer. A server that takes longer does
		 * not delay a majority that answers; it delays a command that would need it, and
		 * then is left out until it answers again.
		 * @param nodeTimeout the time, 500 ms by default
		 * @return this
		 */
		public Builder nodeTimeout(Duration nodeTimeout) {
			this.nodeTimeout = StoreOptions.checkNotTooShort("node timeout", nodeTimeout);
			return this;
		}

		/**
		 * Sets how long connecting, and commands that bring no timeout of their own, wait
		 * for an answer.
		 * @param commandTimeout the time, 1 s by default
		 * @return this
		 */
		public Builder commandTimeout(Duration commandTimeout) {
			this.settings.commandTimeout(commandTimeout);
			return this;
		}

		/**
		 * Connects to the servers. Those that cannot be reached are tried again in the
		 * background, as long as a majority can.
		 * @return the store
		 * @throws StoreException if too few servers answer, or two of them are the same;
		 * the message names them
		 */
		public RedlockLockStore build() {
			// An unusable prefix should not cost a connection.
			new KeyLayout(this.settings.prefix, false);
			RedlockNodes nodes = new RedlockNodes(
					this.servers.stream().map((server) -> new RedlockNode(server, this.settings, this.name)).toList(),
					this.nodeTimeout.toNanos());
			RedlockConnections connections = new RedlockConnections(nodes);
			try {
				connections.openAll();
			}
			catch (StoreException ex) {
				nodes.all().forEach(RedlockNode::close);
				throw ex;
			}
			return new RedlockLockStore(this, nodes, connections);
		}

	}

}
