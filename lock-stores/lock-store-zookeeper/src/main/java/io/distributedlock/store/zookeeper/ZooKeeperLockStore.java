package io.distributedlock.store.zookeeper;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Function;

import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import io.distributedlock.LockInspector.StoredLock;
import io.distributedlock.LockKey;
import io.distributedlock.spi.AbandonCommand;
import io.distributedlock.spi.AcquireCommand;
import io.distributedlock.spi.AcquireReply;
import io.distributedlock.spi.ExtendCommand;
import io.distributedlock.spi.ExtendReply;
import io.distributedlock.spi.InspectableLockStore;
import io.distributedlock.spi.MessagingLockStore;
import io.distributedlock.spi.ReleaseCommand;
import io.distributedlock.spi.ReleaseReply;
import io.distributedlock.spi.RenewCommand;
import io.distributedlock.spi.RenewReply;
import io.distributedlock.spi.SignallingLockStore;
import io.distributedlock.spi.FairLockStore;
import io.distributedlock.spi.MultiLockStore;
import io.distributedlock.spi.SharedLockStore;
import io.distributedlock.spi.SharedAcquireCommand;
import io.distributedlock.spi.StoreException;
import io.distributedlock.spi.StoreOptions;

/**
 * Locks in Apache ZooKeeper, 3.6 or later, through sessions that Apache Curator keeps.
 * <p>
 * <b>What there is.</b> A key that somebody holds has one ephemeral node; making it is
 * the grant, and it goes with its holder's session. A key that somebody waits for has one
 * persistent node with the queue, or for whom it is reserved, or that it is cooling. Such
 * nodes are in buckets, and a bucket's version rises when one is made in it. Nothing is
 * left of a key that nobody holds and nobody waits for.
 * <p>
 * <b>Who may change what.</b> Every change is one transaction that fails unless what it
 * is based on is still so:
 * <ul>
 * <li>If nobody waits, a holder makes and deletes its node under the bucket's version
 * that it knows. That version is never the same again once somebody has begun to wait,
 * and a bucket is never deleted, so nothing old can be taken for new.</li>
 * <li>If somebody waits, every change of the key also writes the queue under the version
 * it was read with, and checks the bucket's version, so that a queue made anew is not
 * taken for the old one.</li>
 * <li>Nobody but its own session deletes a holder's node, except by force; a forced
 * release makes a queue first, so that holder and all others have to notice it.</li>
 * </ul>
 * So two JVMs can never both be granted a key, whatever is late, lost or repeated: that
 * would take two nodes of one name.
 * <p>
 * <b>How things end.</b> A dead holder's node goes with its session ({@link Sessions}). A
 * living JVM ends its own grants, reservations and places in the queue by its own
 * monotonic clock. What a dead JVM left in a queue is taken away by whoever has seen it
 * unchanged for long enough by its own clock. Clocks of two hosts are never compared.
 * <p>
 * <b>When a grant counts.</b> An answer that is positive rests on a write that
 * ZooKeeper's majority accepted, and on touches of the session that its leader knows
 * ({@link Touches}): only then is it certain that the server keeps the session, and the
 * node in it, until the ttl is over. Without connection nothing is confirmed. When the
 * session is lost, all holders are told at once.
 * <p>
 * <b>Order.</b> This JVM works off the commands of one key one after the other
 * ({@link KeyTask}). What is executed later than its caller waits is taken back before
 * the next one begins.
 * <p>
 * Safe for use by many threads. Close it when done.
 */
public final class ZooKeeperLockStore implements SharedLockStore, FairLockStore, MultiLockStore, SignallingLockStore,
		InspectableLockStore, MessagingLockStore {

	static final Logger logger = LoggerFactory.getLogger(ZooKeeperLockStore.class);

	private final Builder settings;

	private final StoreContext context;

	private final Sessions sessions;

	private final FenceReader fences;

	private final Messages messages;

	private final AtomicBoolean closed = new AtomicBoolean();

	private ZooKeeperLockStore(Builder settings) {
		this.settings = settings;
		this.context = new StoreContext(settings);
		this.sessions = new Sessions(this.context);
		this.fences = new FenceReader(this.context);
		this.messages = new Messages(this.context, () -> this.sessions.main().current());
	}

	/**
	 * Starts to configure a store.
	 * @param connectString hosts and ports of the servers, separated by commas
	 * @return a builder with the defaults
	 */
	public static Builder builder(String connectString) {
		return new Builder(connectString);
	}

	private void connect() {
		SessionKeeper main = this.sessions.forTtl(this.settings.ttl);
		CountDownLatch connected = new CountDownLatch(1);
		main.whenConnected((link) -> connected.countDown());
		try {
			if (connected.await(this.settings.connectionTimeout.toNanos(), TimeUnit.NANOSECONDS)) {
				return;
			}
		}
		catch (InterruptedException ex) {
			Thread.currentThread().interrupt();
		}
		close();
		StoreException trouble = main.trouble();
		throw (trouble != null) ? trouble : this.context.failures()
			.unknown("ZooKeeper could not be reached within " + this.settings.connectionTimeout.toMillis()
					+ " ms. See whether its servers run, have a majority, and whether address and port are right.");
	}

	@Override
	public String name() {
		return this.settings.name;
	}

	/**
	 * Returns the name under which this JVM holds and waits in ZooKeeper.
	 * @return the name, unique to this store object
	 */
	@Override
	public String instanceId() {
		return this.settings.instanceId;
	}

	@Override
	public Duration reservation() {
		return this.settings.reservation;
	}

	@Override
	public CompletionStage<AcquireReply> acquire(AcquireCommand command) {
		return acquire(command, false);
	}

	@Override
	public CompletionStage<AcquireReply> acquireOrEnqueue(AcquireCommand command) {
		return acquire(command, true);
	}

	private CompletionStage<AcquireReply> acquire(AcquireCommand command, boolean enqueue) {
		return submit(command.ttl(), (keeper) -> new AcquireTask(this.context, command, enqueue, keeper));
	}

	@Override
	public CompletionStage<List<RenewReply>> renew(List<RenewCommand> commands) {
		return new Renewals(this.context, this.sessions, commands, false).send();
	}

	@Override
	public CompletionStage<ReleaseReply> release(ReleaseCommand command) {
		return this.context.submit(new ReleaseTask(this.context, command));
	}

	@Override
	public CompletionStage<ReleaseReply> releaseAndEnqueue(ReleaseCommand command, Successor successor) {
		return submit(successor.ttl(), (keeper) -> new ExchangeTask(this.context, command, successor, keeper));
	}

	@Override
	public CompletionStage<ExtendReply> extend(ExtendCommand command) {
		return this.context.submit(new ExtendTask(this.context, command));
	}

	@Override
	public CompletionStage<Void> abandon(AbandonCommand command) {
		return this.context.submit(new AbandonTask(this.context, command)).thenAccept((done) -> {
		});
	}

	@Override
	public CompletionStage<AcquireReply> acquireShared(SharedAcquireCommand command) {
		return submit(command.ttl(), (keeper) -> new ShareTask(this.context, command, this.sessions, keeper));
	}

	@Override
	public CompletionStage<List<RenewReply>> renewShared(List<RenewCommand> commands) {
		return new Renewals(this.context, this.sessions, commands, true).send();
	}

	@Override
	public CompletionStage<ExtendReply> extendShared(ExtendCommand command) {
		return submit(command.ttl(), (keeper) -> new ShareExtendTask(this.context, command, this.sessions, keeper));
	}

	@Override
	public CompletionStage<ReleaseReply> releaseShared(ReleaseCommand command) {
		return this.context.submit(new ShareReleaseTask(this.context, command));
	}

	@Override
	public CompletionStage<Void> abandonShared(AbandonCommand command) {
		return abandon(command);
	}

	@Override
	public CompletionStage<List<AcquireReply>> acquireInOrder(List<AcquireCommand> commands) {
		return submit(LineTask.longestTtl(commands), (keeper) -> new LineTask(this.context, commands, keeper));
	}

	@Override
	public CompletionStage<ReleaseReply> releaseInOrder(ReleaseCommand command, Duration ttl) {
		return submit(ttl, (keeper) -> new LineReleaseTask(this.context, command, ttl, keeper));
	}

	@Override
	public List<CompletionStage<AcquireReply>> acquireEach(List<AcquireCommand> commands) {
		return this.sessions.together(() -> commands.stream().map(this::acquireOfMany).toList());
	}

	private CompletionStage<AcquireReply> acquireOfMany(AcquireCommand command) {
		return submit(command.ttl(), (keeper) -> new AcquireTask(this.context, command, false, keeper, this.fences));
	}

	@Override
	public List<CompletionStage<ReleaseReply>> releaseEach(List<ReleaseCommand> commands) {
		return this.sessions.together(() -> commands.stream().map(this::release).toList());
	}

	private <R> CompletionStage<R> submit(Duration ttl, Function<SessionKeeper, KeyTask<R>> task) {
		try {
			return this.context.submit(task.apply(this.sessions.forTtl(ttl)));
		}
		catch (StoreException ex) {
			return CompletableFuture.failedFuture(ex);
		}
	}

	@Override
	public CompletionStage<Optional<StoredLock>> inspect(LockKey key, Duration timeout) {
		return this.context.submit(new InspectTask(this.context, key, timeout, this.sessions.main()));
	}

	@Override
	public CompletionStage<Boolean> forceRelease(LockKey key, long token, Duration timeout) {
		return this.context.submit(new ForceReleaseTask(this.context, key, token, timeout, this.sessions.main()));
	}

	@Override
	public void subscribe(SignalReceiver receiver) {
		this.context.receiver(receiver);
	}

	@Override
	public int longestMessage() {
		return Messages.LONGEST;
	}

	@Override
	public void receiveMessages(MessageReceiver receiver) {
		this.messages.receiver(receiver);
	}

	/**
	 * Makes the mailbox of this JVM and watches it, if it does not yet.
	 */
	@Override
	public void expectMessages() {
		this.messages.expect();
	}

	@Override
	public void send(String instanceId, String message) {
		this.messages.send(instanceId, message);
	}

	/**
	 * Looks for settings of ZooKeeper that would harm locks: a longest session that is
	 * too short for the ttl, a shortest session that keeps a dead JVM's locks for long.
	 * @return advice for the operator, one sentence or two for each finding, empty if all
	 * is well
	 * @throws StoreException if ZooKeeper cannot be used for locks at all
	 */
	public List<String> check() {
		SessionKeeper main = this.sessions.main();
		StoreException trouble = main.trouble();
		if (trouble != null) {
			throw trouble;
		}
		List<String> advice = new ArrayList<>();
		Duration negotiated = main.negotiated();
		if (negotiated == null) {
			throw this.context.failures().timedOut(false);
		}
		Duration longest = negotiated.minus(this.settings.tickTime.multipliedBy(2));
		if (negotiated.compareTo(main.asked()) < 0 && longest.compareTo(this.settings.ttl) < 0) {
			advice.add("ZooKeeper at " + this.settings.connectString + " allows sessions of at most "
					+ negotiated.toMillis() + " ms, so that a ttl may be at most " + longest.toMillis()
					+ " ms, and the ttl of " + this.settings.ttl.toMillis()
					+ " ms is refused. Raise maxSessionTimeout on the servers, or use a shorter ttl.");
		}
		if (negotiated.compareTo(main.asked()) > 0) {
			advice.add("ZooKeeper at " + this.settings.connectString + " makes sessions last " + negotiated.toMillis()
					+ " ms at least. Locks of a JVM that dies are kept for so long, not for their ttl of "
					+ this.settings.ttl.toMillis()
					+ " ms. Lower minSessionTimeout on the servers if that is too long.");
		}
		return advice;
	}

	/** For tests: the session of a ttl. */
	@Nullable Link session(Duration ttl) {
		return this.sessions.forTtl(ttl).current();
	}

	StoreContext context() {
		return this.context;
	}

	Sessions sessions() {
		return this.sessions;
	}

	@Override
	public void close() {
		if (this.closed.compareAndSet(false, true)) {
			this.context.close();
			this.sessions.close();
		}
	}

	@Override
	public String toString() {
		return "ZooKeeperLockStore " + this.settings.name + " at " + this.settings.connectString;
	}

	/**
	 * Configures a {@link ZooKeeperLockStore}.
	 */
	public static final class Builder {

		private static final int RE_CHECKS_OF_ENTRY = 3;

		final String connectString;

		String name = "zookeeper";

		String namespace = "distributed-lock";

		String instanceId = StoreOptions.newInstanceId();

		@Nullable String scheme;

		byte[] credentials = {};

		Duration connectionTimeout = Duration.ofSeconds(15);

		Duration tickTime = Duration.ofSeconds(2);

		Duration ttl = Duration.ofSeconds(30);

		Duration reservation = Duration.ofSeconds(1);

		Duration queueEntryTtl = Duration.ofMillis(400L * RE_CHECKS_OF_ENTRY);

		Duration commandTimeout = Duration.ofSeconds(1);

		private Builder(String connectString) {
			if (connectString.isBlank()) {
				throw new IllegalArgumentException("The connect string is blank. Use hosts and ports of the servers,"
						+ " such as zk1:2181,zk2:2181,zk3:2181.");
			}
			if (connectString.contains("/")) {
				throw new IllegalArgumentException(
						"The connect string '" + connectString + "' has a path. Give it as the namespace instead.");
			}
			this.connectString = connectString;
		}

		/**
		 * Sets the name under which the store is configured and shown.
		 * @param name the name, {@code zookeeper} by default
		 * @return this
		 */
		public Builder name(String name) {
			this.name = name;
			return this;
		}

		/**
		 * Sets the path in ZooKeeper under which all lock nodes are.
		 * @param namespace the path without a slash at its begin,
		 * {@code distributed-lock} by default
		 * @return this
		 */
		public Builder namespace(String namespace) {
			new Layout(namespace);
			this.namespace = namespace;
			return this;
		}

		/**
		 * Sets as whom to speak to ZooKeeper. Nodes that are made then belong to that
		 * user alone.
		 * @param scheme such as {@code digest}
		 * @param credentials such as {@code user:password}
		 * @return this
		 */
		public Builder authorization(String scheme, byte[] credentials) {
			if (scheme.isBlank()) {
				throw new IllegalArgumentException(
						"The authorization scheme is blank. Use one that the servers know," + " such as digest.");
			}
			this.scheme = scheme;
			this.credentials = credentials.clone();
			return this;
		}

		/**
		 * Sets how long to wait for the first connection.
		 * @param connectionTimeout the time, 15 s by default
		 * @return this
		 */
		public Builder connectionTimeout(Duration connectionTimeout) {
			this.connectionTimeout = StoreOptions.checkNotTooShort("connection timeout", connectionTimeout);
			return this;
		}

		/**
		 * Sets the servers' {@code tickTime}, or a longer time. Sessions live two ticks
		 * longer than the ttl, which covers what a server that fails has not yet told the
		 * leader.
		 * @param tickTime the time, 2 s by default, as in the servers
		 * @return this
		 */
		public Builder tickTime(Duration tickTime) {
			this.tickTime = StoreOptions.checkNotTooShort("tick time", tickTime);
			return this;
		}

		/**
		 * Sets the ttl of most locks, whose session is opened at once. Others are opened
		 * when they are needed.
		 * @param ttl the ttl, 30 s by default
		 * @return this
		 */
		public Builder ttl(Duration ttl) {
			this.ttl = StoreOptions.checkNotTooShort("ttl", ttl);
			return this;
		}

		/**
		 * Sets the name of this JVM in ZooKeeper. No two stores may have the same at the
		 * same time.
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
		 * Connects to ZooKeeper.
		 * @return the store
		 * @throws StoreException if ZooKeeper does not answer; the message names the
		 * servers
		 */
		public ZooKeeperLockStore build() {
			ZooKeeperLockStore store = new ZooKeeperLockStore(this);
			store.connect();
			return store;
		}

	}

}
