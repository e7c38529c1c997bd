package io.distributedlock.store.redis;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicBoolean;

import org.springframework.data.redis.connection.RedisConnectionFactory;

import io.distributedlock.LockInspector.StoredLock;
import io.distributedlock.LockKey;
import io.distributedlock.spi.AbandonCommand;
import io.distributedlock.spi.AcquireCommand;
import io.distributedlock.spi.AcquireReply;
import io.distributedlock.spi.DowngradeCommand;
import io.distributedlock.spi.DowngradeReply;
import io.distributedlock.spi.ExtendCommand;
import io.distributedlock.spi.ExtendReply;
import io.distributedlock.spi.FairLockStore;
import io.distributedlock.spi.InspectableLockStore;
import io.distributedlock.spi.MessagingLockStore;
import io.distributedlock.spi.MultiLockStore;
import io.distributedlock.spi.ReleaseCommand;
import io.distributedlock.spi.ReleaseReply;
import io.distributedlock.spi.RenewCommand;
import io.distributedlock.spi.RenewReply;
import io.distributedlock.spi.SharedAcquireCommand;
import io.distributedlock.spi.SharedLockStore;
import io.distributedlock.spi.SignallingLockStore;
import io.distributedlock.spi.StoreException;
import io.distributedlock.spi.StoreOptions;

/**
 * Locks in Redis (6.2 or later) or Valkey (7.2 or later): standalone, behind Sentinel, or
 * a Cluster.
 * <p>
 * Takes servers, credentials and TLS from the application's connection factory, but opens
 * connections of its own, so that a busy application pool starves no lock and no renewal.
 * All commands are Lua scripts, atomic in Redis; those of many threads that meet go out
 * together.
 * <p>
 * Safe for use by many threads. Close it when done; the application's connection factory
 * stays open.
 */
public final class RedisLockStore implements SharedLockStore, FairLockStore, SignallingLockStore, MessagingLockStore,
		InspectableLockStore, MultiLockStore {

	private static final int LONGEST_MESSAGE = 65_536;

	private final String name;

	private final Duration reservation;

	private final Duration commandTimeout;

	private final RedisTransport transport;

	private final KeyLayout layout;

	private final Signals signals;

	private final Dispatcher dispatcher;

	private final StoreContext context;

	private final ReplicaRule replicas;

	private final String instanceId;

	private final AtomicBoolean closed = new AtomicBoolean();

	private RedisLockStore(Builder settings, RedisTransport transport) {
		this.name = settings.name;
		this.reservation = settings.reservation;
		this.commandTimeout = settings.commandTimeout;
		this.instanceId = settings.instanceId;
		this.transport = transport;
		this.layout = new KeyLayout(settings.prefix, transport.cluster());
		this.signals = new Signals(transport.address());
		this.replicas = settings.replicas();
		this.dispatcher = new Dispatcher(transport, this.layout.buckets(), this.replicas, this.layout::replicas);
		this.context = new StoreContext(this.layout, transport.address(), settings, this.signals::areArriving,
				this.dispatcher::sendAlone);
		this.dispatcher.start();
	}

	/**
	 * Starts to configure a store.
	 * @param application the application's connection factory, whose settings are used
	 * @return a builder with the defaults
	 */
	public static Builder builder(RedisConnectionFactory application) {
		return new Builder(application);
	}

	@Override
	public String name() {
		return this.name;
	}

	/**
	 * Returns the name under which this JVM holds and waits in Redis.
	 * @return the name, unique to this store object
	 */
	@Override
	public String instanceId() {
		return this.instanceId;
	}

	@Override
	public Duration reservation() {
		return this.reservation;
	}

	@Override
	public CompletionStage<AcquireReply> acquire(AcquireCommand command) {
		return send(new AcquireOperation(this.context, command, false, deadline(command.timeout())));
	}

	@Override
	public List<CompletionStage<AcquireReply>> acquireEach(List<AcquireCommand> commands) {
		return sendEach(commands.stream()
			.map((command) -> new AcquireOperation(this.context, command, false, deadline(command.timeout())))
			.toList());
	}

	@Override
	public List<CompletionStage<ReleaseReply>> releaseEach(List<ReleaseCommand> commands) {
		return sendEach(commands.stream()
			.map((command) -> new ReleaseOperation(this.context, command, deadline(command.timeout())))
			.toList());
	}

	private <R> List<CompletionStage<R>> sendEach(List<? extends Operation<R>> operations) {
		this.dispatcher.sendTogether(operations);
		return List.copyOf(operations);
	}

	@Override
	public CompletionStage<AcquireReply> acquireOrEnqueue(AcquireCommand command) {
		return send(new AcquireOperation(this.context, command, true, deadline(command.timeout())));
	}

	@Override
	public CompletionStage<List<RenewReply>> renew(List<RenewCommand> commands) {
		if (commands.isEmpty()) {
			return CompletableFuture.completedFuture(List.of());
		}
		return sendAll(commands.stream()
			.map((command) -> new RenewOperation(this.context, command, true, deadline(command.timeout())))
			.toList());
	}

	@Override
	public CompletionStage<List<RenewReply>> renewShared(List<RenewCommand> commands) {
		if (commands.isEmpty()) {
			return CompletableFuture.completedFuture(List.of());
		}
		return sendAll(commands.stream()
			.map((command) -> new ShareRenewOperation(this.context, command, deadline(command.timeout())))
			.toList());
	}

	private CompletionStage<List<RenewReply>> sendAll(List<? extends Operation<RenewReply>> operations) {
		this.dispatcher.submitAll(operations);
		return CompletableFuture.allOf(operations.toArray(CompletableFuture<?>[]::new))
			.handle((done, anyFailure) -> operations.stream().map(RedisLockStore::renewReply).toList());
	}

	private static RenewReply renewReply(Operation<RenewReply> operation) {
		try {
			return operation.join();
		}
		catch (CompletionException ex) {
			return new RenewReply.Failed((ex.getCause() instanceof StoreException known) ? known
					: new StoreException("The renewal failed: " + ex.getCause(), true, true, ex));
		}
	}

	@Override
	public CompletionStage<ReleaseReply> release(ReleaseCommand command) {
		return send(new ReleaseOperation(this.context, command, deadline(command.timeout())));
	}

	@Override
	public CompletionStage<AcquireReply> acquireShared(SharedAcquireCommand command) {
		return send(new ShareOperation(this.context, command, deadline(command.timeout())));
	}

	@Override
	public CompletionStage<ExtendReply> extendShared(ExtendCommand command) {
		return send(new ShareExtendOperation(this.context, command, deadline(command.timeout())));
	}

	@Override
	public CompletionStage<ReleaseReply> releaseShared(ReleaseCommand command) {
		return send(ShareReleaseOperation.release(this.context, command.key(), command.attempt(), command.keepFor(),
				deadline(command.timeout())));
	}

	@Override
	public CompletionStage<DowngradeReply> downgrade(DowngradeCommand command) {
		return send(new DowngradeOperation(this.context, command, deadline(command.timeout())));
	}

	@Override
	public CompletionStage<Void> abandonShared(AbandonCommand command) {
		return send(ShareReleaseOperation.abandon(this.context, command.key(), command.attempt(),
				deadline(command.timeout())))
			.thenAccept((done) -> {
			});
	}

	@Override
	public CompletionStage<List<AcquireReply>> acquireInOrder(List<AcquireCommand> commands) {
		if (commands.isEmpty()) {
			return CompletableFuture.completedFuture(List.of());
		}
		Duration timeout = commands.stream()
			.map(AcquireCommand::timeout)
			.min(Comparator.naturalOrder())
			.orElse(this.commandTimeout);
		return send(new LineOperation(this.context, List.copyOf(commands), deadline(timeout)));
	}

	@Override
	public CompletionStage<ReleaseReply> releaseInOrder(ReleaseCommand command, Duration ttl) {
		return send(new LineReleaseOperation(this.context, command, ttl, deadline(command.timeout())));
	}

	@Override
	public CompletionStage<ReleaseReply> releaseAndEnqueue(ReleaseCommand command, Successor successor) {
		return send(new ExchangeOperation(this.context, command, successor, deadline(command.timeout())));
	}

	@Override
	public CompletionStage<ExtendReply> extend(ExtendCommand command) {
		return send(new ExtendOperation(this.context, command, deadline(command.timeout())));
	}

	@Override
	public CompletionStage<Void> abandon(AbandonCommand command) {
		return send(new AbandonOperation(this.context, command, deadline(command.timeout())));
	}

	@Override
	public CompletionStage<Optional<StoredLock>> inspect(LockKey key, Duration timeout) {
		return send(new InspectOperation(this.context, key, this.name, deadline(timeout)));
	}

	@Override
	public CompletionStage<Boolean> forceRelease(LockKey key, long token, Duration timeout) {
		return send(new ForceReleaseOperation(this.context, key, token, deadline(timeout)));
	}

	/**
	 * Subscribes, and waits for at most one command timeout until Redis has confirmed it.
	 */
	@Override
	public void subscribe(SignalReceiver receiver) {
		this.signals.receiver(receiver);
		this.transport.subscribe(this.layout.channel(this.instanceId), this.signals);
		this.signals.awaitSettled(this.commandTimeout);
	}

	@Override
	public int longestMessage() {
		return LONGEST_MESSAGE;
	}

	@Override
	public void receiveMessages(MessageReceiver receiver) {
		this.signals.receiver(receiver);
	}

	/**
	 * Publishes the message on the other JVM's channel, where its signals come as well.
	 */
	@Override
	public void send(String instanceId, String message) {
		if (message.length() > LONGEST_MESSAGE) {
			throw new IllegalArgumentException("A message of " + message.length() + " characters is too long");
		}
		this.transport.publish(this.layout.channel(instanceId), Ascii.bytes(Signals.MESSAGE + message));
	}

	/**
	 * Looks for things in Redis that would harm locks: a user without a permission that
	 * locks need, a version that is too old, a memory policy that drops locks, a refused
	 * subscription. Blocks for a few command timeouts at most.
	 * @return advice for the operator, one sentence or two for each finding, empty if all
	 * is well
	 * @throws StoreException if Redis cannot be used for locks at all
	 */
	public List<String> check() {
		List<String> advice = new ArrayList<>(
				new StartupChecks(this.transport, this.layout, this.instanceId, this.commandTimeout)
					.run(this.replicas));
		String trouble = this.signals.trouble();
		if (trouble != null) {
			advice.add(trouble);
		}
		return advice;
	}

	ServerClock clock(LockKey key) {
		return this.context.clock(this.layout.bucket(key.id()));
	}

	private static long deadline(Duration timeout) {
		return System.nanoTime() + timeout.toNanos();
	}

	private <R> CompletionStage<R> send(Operation<R> operation) {
		this.dispatcher.submit(operation);
		return operation;
	}

	@Override
	public void close() {
		if (this.closed.compareAndSet(false, true)) {
			this.dispatcher.close();
			this.transport.close();
		}
	}

	@Override
	public String toString() {
		return "RedisLockStore " + this.name + " at " + this.transport.address();
	}

	/**
	 * Configures a {@link RedisLockStore}.
	 */
	public static final class Builder {

		/**
		 * The first connection of a JVM resolves names and loads a thousand classes,
		 * which on a busy machine takes longer than any command later.
		 */
		private static final int FIRST_TRIES = 3;

		private static final int RE_CHECKS_OF_ENTRY = 3;

		private final RedisConnectionFactory application;

		String name = "redis";

		String prefix = "lock:";

		String instanceId = StoreOptions.newInstanceId();

		Duration reservation = Duration.ofSeconds(1);

		Duration queueEntryTtl = Duration.ofMillis(400L * RE_CHECKS_OF_ENTRY);

		Duration commandTimeout = Duration.ofSeconds(1);

		private int waitReplicas;

		private Duration replicaTimeout = Duration.ofMillis(500);

		private Builder(RedisConnectionFactory application) {
			this.application = application;
		}

		/**
		 * Sets the name under which the store is configured and shown.
		 * @param name the name, {@code redis} by default
		 * @return this
		 */
		public Builder name(String name) {
			this.name = name;
			return this;
		}

		/**
		 * Sets what all keys and channels in Redis begin with.
		 * @param prefix the prefix, {@code lock:} by default
		 * @return this
		 */
		public Builder prefix(String prefix) {
			this.prefix = prefix;
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
			this.instanceId = StoreOptions.checkInstanceId(instanceId);
			return this;
		}

		/**
		 * Sets how long a released lock is kept for the waiting JVM whose turn it is.
		 * @param reservation the time, 1 s by default
		 * @return this
		 */
		public Builder reservation(Duration reservation) {
			this.reservation = StoreOptions.checkNotTooShort("reservation", reservation);
			return this;
		}

		/**
		 * Sets how long a waiting JVM that does not show itself keeps its place.
		 * @param queueEntryTtl the time, three re-checks or 1.2 s by default
		 * @return this
		 */
		public Builder queueEntryTtl(Duration queueEntryTtl) {
			this.queueEntryTtl = StoreOptions.checkNotTooShort("queue entry ttl", queueEntryTtl);
			return this;
		}

		/**
		 * Sets how long commands that bring no timeout of their own wait for an answer.
		 * @param commandTimeout the time, 1 s by default
		 * @return this
		 */
		public Builder commandTimeout(Duration commandTimeout) {
			this.commandTimeout = StoreOptions.checkNotTooShort("command timeout", commandTimeout);
			return this;
		}

		/**
		 * Demands that a number of replicas have a grant, or its renewal, before it
		 * counts, so that a failover to one of them does not lose it. With fewer the lock
		 * cannot be taken. Costs a round trip to the replicas for each grant, none for a
		 * handoff within this JVM. Only if all replicas have a grant is it sure to
		 * survive a failover; see also {@link #waitForAllReplicas()}.
		 * @param replicas how many; 0, the default, waits for none
		 * @return this
		 */
		public Builder waitReplicas(int replicas) {
			if (replicas < 0) {
				throw new IllegalArgumentException("wait-replicas is " + replicas
						+ ". Use 0 for none, a number of replicas, or all (waitForAllReplicas()).");
			}
			this.waitReplicas = replicas;
			return this;
		}

		/**
		 * Demands that all known replicas have a grant, or its renewal, before it counts.
		 * Known are as many replicas as were ever online at the same time, and at least
		 * one; the number is kept in Redis. When one of them goes away, no lock can be
		 * taken until it or another one is there. After a failover the new primary is
		 * expected to have one less. If a replica is gone for good, the operator says so:
		 * {@code SET lock:replicas 0} on the primary.
		 * @return this
		 * @see #waitReplicas(int)
		 */
		public Builder waitForAllReplicas() {
			this.waitReplicas = ReplicaRule.ALL;
			return this;
		}

		/**
		 * Sets how long replicas may take to have a grant. A command whose own timeout is
		 * near waits less.
		 * @param replicaTimeout the time, less than the command timeout; 500 ms by
		 * default
		 * @return this
		 */
		public Builder replicaTimeout(Duration replicaTimeout) {
			this.replicaTimeout = StoreOptions.checkNotTooShort("replica timeout", replicaTimeout);
			return this;
		}

		ReplicaRule replicas() {
			if (this.waitReplicas != 0 && this.replicaTimeout.compareTo(this.commandTimeout) >= 0) {
				throw new IllegalArgumentException("The replica timeout of " + this.replicaTimeout.toMillis()
						+ " ms is not below the command timeout of " + this.commandTimeout.toMillis()
						+ " ms, so no answer could come in time. Lower the one (replica-timeout) or raise the other"
						+ " (command-timeout).");
			}
			return new ReplicaRule(this.waitReplicas, this.replicaTimeout);
		}

		/**
		 * Connects to Redis.
		 * @return the store
		 * @throws StoreException if Redis cannot be reached, or does not answer within
		 * three times the command timeout; the message names the server
		 */
		public RedisLockStore build() {
			// An unusable prefix should not cost a connection.
			new KeyLayout(this.prefix, false);
			return new RedisLockStore(this, open(replicas()));
		}

		private RedisTransport open(ReplicaRule rule) {
			for (int tried = 1;; tried++) {
				try {
					return Transports.open(this.application, this.commandTimeout, rule);
				}
				catch (StoreException ex) {
					if (tried == FIRST_TRIES || !RedisErrors.isTimeout(ex)) {
						throw ex;
					}
				}
			}
		}

	}

}
