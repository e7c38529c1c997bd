package io.distributedlock.store.etcd;

import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;

import io.etcd.jetcd.Client;

import io.distributedlock.LockInspector.StoredLock;
import io.distributedlock.LockKey;
import io.distributedlock.spi.AbandonCommand;
import io.distributedlock.spi.AcquireCommand;
import io.distributedlock.spi.AcquireReply;
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
 * Locks in etcd (3.4 or later), one node or a cluster.
 * <p>
 * <b>The record.</b> A lock that is not free has one key, its record: who holds it, for
 * whom it is reserved, or that it is cooling. Every change is one transaction on the
 * condition that the record's revision is the one that the change was decided upon. A
 * revision is never used twice, so nobody can change what he has not seen, however late
 * his request arrives. Fencing tokens are the revision of the write that granted, times
 * 1024: they rise over all keys, and over restarts of etcd.
 * <p>
 * <b>The queue.</b> A waiting JVM has one key in the queue of a lock, in order of
 * creation. Who joins also marks the record, once for each of its versions; so a holder
 * that releases by the version it remembers finds out. Releasing puts the next waiter's
 * name into the record, takes its entry away, and leaves a message in that JVM's mailbox,
 * in the same transaction. The message is a hint; the claim is again a transaction on the
 * record's revision.
 * <p>
 * <b>The end of things.</b> There is no clock that all could read. While a JVM lives, it
 * ends itself what was not renewed, by its own monotonic clock and on the condition that
 * nothing changed. When it does not, its leases end: ttl and two seconds after the last
 * keep-alive, and some 500 ms until etcd notices, so at most about 3.5 s (longer ttls: an
 * eighth) later than the ttl. A reservation may also be ended by anybody who has seen it
 * unchanged for the time of a reservation.
 * <p>
 * <b>Late requests.</b> A transaction that gives this JVM something demands that the
 * marker of its lease is unchanged. If it got no answer, changing the marker makes it
 * ineffective, wherever it is; an attempt is given up by doing so, and then taking away
 * what it has. What nobody gives up is given up by the store after its ttl.
 * <p>
 * Safe for use by many threads. Close it when done; the client stays open, it belongs to
 * the application. Clients that were made with {@code waitForReady(false)} fail at once
 * when etcd is away, and say why; others keep requests until it is back.
 */
public final class EtcdLockStore implements SharedLockStore, FairLockStore, SignallingLockStore, InspectableLockStore,
		MultiLockStore, MessagingLockStore {

	private final String name;

	private final Client client;

	private final Duration commandTimeout;

	private final Context context;

	private final Letters letters;

	private final AtomicBoolean closed = new AtomicBoolean();

	private EtcdLockStore(Builder settings) {
		this.name = settings.name;
		this.client = settings.client;
		this.commandTimeout = settings.commandTimeout;
		KeyLayout layout = new KeyLayout(settings.prefix);
		EtcdErrors errors = new EtcdErrors(settings.endpoints, settings.prefix);
		Timers timers = new Timers("lock-etcd-" + settings.name);
		Housekeeping housekeeping = new Housekeeping(this.commandTimeout);
		Transactions transactions = new Transactions(this.client.getKVClient(), new RevisionGuard(), errors, timers);
		Sessions sessions = new Sessions(this.client.getLeaseClient(), this.client.getKVClient(), layout,
				settings.instanceId, errors, transactions, timers, this.commandTimeout, settings.leaseIdleTime,
				housekeeping::lost);
		Mailbox mailbox = new Mailbox(this.client.getWatchClient(), layout, settings.instanceId, timers, housekeeping);
		this.letters = new Letters(this.client.getKVClient(), layout, settings.instanceId, sessions, timers);
		this.context = new Context(layout, settings.instanceId, settings.reservation, settings.queueEntryTtl, errors,
				timers, transactions, sessions, new Stakes(housekeeping), new Reservations(), mailbox, new Scripts(),
				ConcurrentHashMap.newKeySet());
		housekeeping.start(this.context);
	}

	/**
	 * Starts to configure a store.
	 * @param client the application's client, which stays open when the store is closed
	 * @return a builder with the defaults
	 */
	public static Builder builder(Client client) {
		return new Builder(client);
	}

	@Override
	public String name() {
		return this.name;
	}

	/**
	 * Returns the name under which this JVM holds and waits in etcd.
	 * @return the name, unique to this store object
	 */
	@Override
	public String instanceId() {
		return this.context.instance();
	}

	@Override
	public Duration reservation() {
		return this.context.reservation();
	}

	@Override
	public CompletionStage<AcquireReply> acquire(AcquireCommand command) {
		return new AcquireOperation(this.context, command, false).start();
	}

	@Override
	public CompletionStage<AcquireReply> acquireOrEnqueue(AcquireCommand command) {
		return new AcquireOperation(this.context, command, true).start();
	}

	@Override
	public CompletionStage<List<RenewReply>> renew(List<RenewCommand> commands) {
		return new RenewBatch(this.context).renew(commands);
	}

	@Override
	public CompletionStage<ReleaseReply> release(ReleaseCommand command) {
		return new ReleaseOperation(this.context, command, null).start();
	}

	@Override
	public List<CompletionStage<AcquireReply>> acquireEach(List<AcquireCommand> commands) {
		return this.context.transactions().together(() -> commands.stream().map(this::acquire).toList());
	}

	@Override
	public List<CompletionStage<ReleaseReply>> releaseEach(List<ReleaseCommand> commands) {
		return this.context.transactions().together(() -> commands.stream().map(this::release).toList());
	}

	@Override
	public CompletionStage<ReleaseReply> releaseAndEnqueue(ReleaseCommand command, Successor successor) {
		return new ReleaseOperation(this.context, command, successor).start();
	}

	@Override
	public CompletionStage<ExtendReply> extend(ExtendCommand command) {
		return new ExtendOperation(this.context, command).start();
	}

	@Override
	public CompletionStage<Void> abandon(AbandonCommand command) {
		return new EndOperation(this.context, command.key(), command.attempt(), command.timeout()).start()
			.thenApply((done) -> (Void) null);
	}

	@Override
	public CompletionStage<AcquireReply> acquireShared(SharedAcquireCommand command) {
		return ShareScripts.acquire(this.context, command).start();
	}

	@Override
	public CompletionStage<List<RenewReply>> renewShared(List<RenewCommand> commands) {
		return new ShareRenewBatch(this.context).renew(commands);
	}

	@Override
	public CompletionStage<ExtendReply> extendShared(ExtendCommand command) {
		return ShareScripts.extend(this.context, command).start();
	}

	@Override
	public CompletionStage<ReleaseReply> releaseShared(ReleaseCommand command) {
		return ShareScripts.release(this.context, command).start();
	}

	@Override
	public CompletionStage<Void> abandonShared(AbandonCommand command) {
		return new EndOperation(this.context, command.key(), command.attempt(), command.timeout(), true).start()
			.thenApply((done) -> (Void) null);
	}

	@Override
	public CompletionStage<List<AcquireReply>> acquireInOrder(List<AcquireCommand> commands) {
		return LineScripts.acquire(this.context, commands);
	}

	@Override
	public CompletionStage<ReleaseReply> releaseInOrder(ReleaseCommand command, Duration ttl) {
		return LineScripts.release(this.context, command, ttl).start();
	}

	@Override
	public CompletionStage<Optional<StoredLock>> inspect(LockKey key, Duration timeout) {
		return new InspectOperation(this.context, key, this.name, timeout).start();
	}

	@Override
	public CompletionStage<Boolean> forceRelease(LockKey key, long token, Duration timeout) {
		return new RemoveOperation(this.context, key, token, timeout, this).start();
	}

	/**
	 * Watches for signals, and waits for at most one command timeout until etcd has
	 * confirmed it.
	 */
	@Override
	public void subscribe(SignalReceiver receiver) {
		this.context.mailbox().subscribe(receiver, this.commandTimeout);
	}

	@Override
	public int longestMessage() {
		return Letters.LONGEST;
	}

	/**
	 * Messages come over the watch for signals.
	 */
	@Override
	public void receiveMessages(MessageReceiver receiver) {
		this.context.mailbox().receiveMessages(receiver);
	}

	@Override
	public void send(String instanceId, String message) {
		this.letters.send(instanceId, message);
	}

	/**
	 * Looks whether etcd can be used for locks: whether it answers, whether the user may
	 * read and write below the prefix, whether the signals arrive, whether it has space
	 * left. Blocks for a few command timeouts at most.
	 * @return advice for the operator, one sentence or two for each finding, empty if all
	 * is well
	 * @throws StoreException if etcd cannot be used for locks at all
	 */
	public List<String> check() {
		return new StartupCheck(this.client, this.context, this.commandTimeout).run();
	}

	@Override
	public void close() {
		if (this.closed.compareAndSet(false, true)) {
			this.context.mailbox().close();
			this.context.sessions().close();
			this.context.transactions().close();
			this.context.underWay().forEach(Operation::close);
			this.context.timers().close();
		}
	}

	@Override
	public String toString() {
		return "EtcdLockStore " + this.name + " at " + this.context.errors().servers();
	}

	/**
	 * Configures an {@link EtcdLockStore}.
	 */
	public static final class Builder {

		private static final int RE_CHECKS_OF_ENTRY = 3;

		private final Client client;

		private String name = "etcd";

		private String prefix = "/distributed-lock/";

		private String endpoints = "the endpoints of the given client";

		private String instanceId = StoreOptions.newInstanceId();

		private Duration reservation = Duration.ofSeconds(1);

		private Duration queueEntryTtl = Duration.ofMillis(400L * RE_CHECKS_OF_ENTRY);

		private Duration commandTimeout = Duration.ofSeconds(1);

		private Duration leaseIdleTime = Duration.ofMinutes(5);

		private Builder(Client client) {
			this.client = client;
		}

		/**
		 * Sets the name under which the store is configured and shown.
		 * @param name the name, {@code etcd} by default
		 * @return this
		 */
		public Builder name(String name) {
			this.name = name;
			return this;
		}

		/**
		 * Sets what all keys in etcd begin with, below the client's namespace if it has
		 * one.
		 * @param prefix the prefix, {@code /distributed-lock/} by default
		 * @return this
		 */
		public Builder prefix(String prefix) {
			this.prefix = prefix;
			return this;
		}

		/**
		 * Sets how error messages name the servers; the client does not tell where it
		 * connects to.
		 * @param endpoints such as {@code http://etcd-1:2379}, without credentials
		 * @return this
		 */
		public Builder endpoints(Collection<String> endpoints) {
			this.endpoints = String.join(", ", endpoints);
			return this;
		}

		/**
		 * Sets the name of this JVM in etcd. No two stores may have the same at the same
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
		 * Sets how long a lease that nothing depends on is kept for the next lock.
		 * @param leaseIdleTime the time, 5 minutes by default; without a lease an acquire
		 * takes three round trips instead of one
		 * @return this
		 */
		public Builder leaseIdleTime(Duration leaseIdleTime) {
			this.leaseIdleTime = StoreOptions.checkNotTooShort("lease idle time", leaseIdleTime);
			return this;
		}

		/**
		 * Makes the store. Nothing is sent to etcd before the first command or
		 * {@link EtcdLockStore#check()}.
		 * @return the store
		 */
		public EtcdLockStore build() {
			return new EtcdLockStore(this);
		}

	}

}
