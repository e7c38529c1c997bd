package io.distributedlock.test;

import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.stream.Stream;

import io.distributedlock.LockInspector.StoredLock;
import io.distributedlock.LockKey;
import io.distributedlock.spi.AbandonCommand;
import io.distributedlock.spi.AcquireCommand;
import io.distributedlock.spi.AcquireReply;
import io.distributedlock.spi.AttemptId;
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
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A client of an {@link InMemoryLockServer}; made with
 * {@link InMemoryLockServer#connect(String)}. Closing it is what the death of a JVM is
 * for a server: what it held stays until it expires.
 */
public final class InMemoryLockStore implements SharedLockStore, FairLockStore, SignallingLockStore, MessagingLockStore,
		InspectableLockStore, MultiLockStore {

	private static final int LONGEST_MESSAGE = 65_536;

	private static final Logger logger = LoggerFactory.getLogger(InMemoryLockStore.class);

	private final InMemoryLockServer server;

	private final String instance;

	private final Network network;

	private volatile @Nullable SignalReceiver receiver;

	private volatile @Nullable MessageReceiver messages;

	private volatile boolean closed;

	InMemoryLockStore(InMemoryLockServer server, String instance, Network network) {
		this.server = server;
		this.instance = instance;
		this.network = network;
	}

	/**
	 * Returns what this client is called where holders and waiters are shown.
	 * @return the name that it was connected with
	 */
	public String instance() {
		return this.instance;
	}

	@Override
	public String name() {
		return this.server.storeName();
	}

	@Override
	public Duration reservation() {
		return this.server.reservation();
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
		return sendInTime(command.key(), command.timeout(),
				(record) -> record.acquire(this, command.attempt(), command.ttl(), command.tokens(), enqueue));
	}

	@Override
	public CompletionStage<List<AcquireReply>> acquireInOrder(List<AcquireCommand> commands) {
		List<AcquireCommand> batch = List.copyOf(commands);
		if (batch.isEmpty()) {
			return CompletableFuture.completedFuture(List.of());
		}
		Duration timeout = longest(batch.stream().map(AcquireCommand::timeout));
		return sendInTime(batch.get(0).key(), timeout, (record) -> record.acquireInOrder(this, batch));
	}

	@Override
	public List<CompletionStage<AcquireReply>> acquireEach(List<AcquireCommand> commands) {
		return commands.stream().map(this::acquire).toList();
	}

	@Override
	public List<CompletionStage<ReleaseReply>> releaseEach(List<ReleaseCommand> commands) {
		return commands.stream().map(this::release).toList();
	}

	@Override
	public CompletionStage<AcquireReply> acquireShared(SharedAcquireCommand command) {
		return sendInTime(command.key(), command.timeout(), (record) -> record.acquireShared(this, command));
	}

	@Override
	public CompletionStage<List<RenewReply>> renew(List<RenewCommand> commands) {
		return renew(commands, LockRecord::renew);
	}

	@Override
	public CompletionStage<List<RenewReply>> renewShared(List<RenewCommand> commands) {
		return renew(commands, LockRecord::renewShared);
	}

	private CompletionStage<List<RenewReply>> renew(List<RenewCommand> commands, Renewal renewal) {
		List<RenewCommand> batch = List.copyOf(commands);
		if (this.closed) {
			return closed();
		}
		if (batch.isEmpty()) {
			return CompletableFuture.completedFuture(List.of());
		}
		Duration timeout = longest(batch.stream().map(RenewCommand::timeout));
		return this.network.send(timeout,
				() -> batch.stream()
					.map((command) -> this.server.run(command.key().id(),
							(record) -> renewal.renew(record, command.attempt(), command.ttl())))
					.toList());
	}

	private static Duration longest(Stream<Duration> timeouts) {
		return timeouts.max(Comparator.naturalOrder()).orElse(Duration.ZERO);
	}

	@Override
	public CompletionStage<ReleaseReply> release(ReleaseCommand command) {
		return send(command.key(), command.timeout(), (record) -> record.release(command.attempt(), command.keepFor()));
	}

	@Override
	public CompletionStage<ReleaseReply> releaseInOrder(ReleaseCommand command, Duration ttl) {
		return sendInTime(command.key(), command.timeout(),
				(record) -> record.releaseInOrder(this, command.attempt(), ttl));
	}

	@Override
	public CompletionStage<ReleaseReply> releaseShared(ReleaseCommand command) {
		return send(command.key(), command.timeout(),
				(record) -> record.releaseShared(this, command.attempt(), command.keepFor()));
	}

	@Override
	public CompletionStage<ReleaseReply> releaseAndEnqueue(ReleaseCommand command, Successor successor) {
		if (!command.keepFor().isZero()) {
			throw new IllegalArgumentException("A lock that is kept for " + command.keepFor() + " has no successor");
		}
		return sendInTime(command.key(), command.timeout(),
				(record) -> record.releaseAndEnqueue(this, command.attempt(), successor));
	}

	@Override
	public CompletionStage<ExtendReply> extend(ExtendCommand command) {
		return send(command.key(), command.timeout(),
				(record) -> record.extend(this, command.attempt(), command.ttl(), command.tokens()));
	}

	@Override
	public CompletionStage<ExtendReply> extendShared(ExtendCommand command) {
		return send(command.key(), command.timeout(),
				(record) -> record.extendShared(command.attempt(), command.ttl()));
	}

	@Override
	public CompletionStage<DowngradeReply> downgrade(DowngradeCommand command) {
		return send(command.key(), command.timeout(), (record) -> record.downgrade(this, command));
	}

	@Override
	public CompletionStage<Void> abandonShared(AbandonCommand command) {
		return send(command.key(), command.timeout(), (record) -> {
			record.abandonShared(this, command.attempt());
			return null;
		});
	}

	@Override
	public CompletionStage<Void> abandon(AbandonCommand command) {
		return send(command.key(), command.timeout(), (record) -> {
			record.abandon(this, command.attempt());
			return null;
		});
	}

	@Override
	public CompletionStage<Optional<StoredLock>> inspect(LockKey key, Duration timeout) {
		return send(key, timeout, (record) -> record.inspect(key, name()));
	}

	@Override
	public CompletionStage<Boolean> forceRelease(LockKey key, long token, Duration timeout) {
		return send(key, timeout, (record) -> record.forceRelease(token));
	}

	@Override
	public void subscribe(SignalReceiver receiver) {
		if (this.receiver != null) {
			throw new IllegalStateException("This store has a receiver of signals already");
		}
		this.receiver = receiver;
	}

	@Override
	public String instanceId() {
		return this.instance;
	}

	@Override
	public int longestMessage() {
		return LONGEST_MESSAGE;
	}

	@Override
	public void receiveMessages(MessageReceiver receiver) {
		if (this.messages != null) {
			throw new IllegalStateException("This store has a receiver of messages already");
		}
		this.messages = receiver;
		this.server.receives(this);
	}

	@Override
	public void send(String instanceId, String message) {
		if (message.length() > LONGEST_MESSAGE) {
			throw new IllegalArgumentException("A message of " + message.length() + " characters is too long");
		}
		InMemoryLockStore other = this.server.receiver(instanceId);
		if (other != null && !this.closed) {
			other.deliver(message);
		}
	}

	private void deliver(String message) {
		MessageReceiver receiver = this.messages;
		if (receiver != null && !this.closed) {
			this.network.signal(() -> {
				try {
					receiver.message(message);
				}
				catch (RuntimeException ex) {
					logger.warn("The receiver of messages of {} failed", this, ex);
				}
			});
		}
	}

	@Override
	public void close() {
		this.closed = true;
		this.server.receivesNoMore(this);
	}

	private <T extends @Nullable Object> CompletionStage<T> send(LockKey key, Duration timeout,
			Function<LockRecord, T> script) {
		if (this.closed) {
			return closed();
		}
		return this.network.send(timeout, () -> this.server.run(key.id(), script));
	}

	/**
	 * Sends a command that the server does not execute any more after its timeout: it
	 * would leave a grant or a queue entry that nobody knows of.
	 */
	private <T extends @Nullable Object> CompletionStage<T> sendInTime(LockKey key, Duration timeout,
			Function<LockRecord, T> script) {
		long notAfter = this.server.ticker().nanoTime() + timeout.toNanos();
		return send(key, timeout, (record) -> {
			if (this.server.ticker().nanoTime() - notAfter > 0) {
				throw new StoreException("The command came to the server after its time was up", false, true, null);
			}
			return script.apply(record);
		});
	}

	private <T extends @Nullable Object> CompletionStage<T> closed() {
		return CompletableFuture.failedFuture(
				new StoreException("The " + name() + " store of " + this.instance + " is closed", false, false, null));
	}

	boolean isSubscribed() {
		return this.receiver != null;
	}

	void reserved(String keyId, AttemptId attempt) {
		signal((receiver) -> receiver.reserved(keyId, attempt));
	}

	void revoked(String keyId, AttemptId attempt) {
		signal((receiver) -> receiver.revoked(keyId, attempt));
	}

	private void signal(Consumer<SignalReceiver> signal) {
		SignalReceiver receiver = this.receiver;
		if (receiver != null && !this.closed) {
			this.network.signal(() -> deliver(receiver, signal));
		}
	}

	/**
	 * Without a network this runs within another client's command, which must not fail
	 * because of this one's receiver.
	 */
	private void deliver(SignalReceiver receiver, Consumer<SignalReceiver> signal) {
		try {
			signal.accept(receiver);
		}
		catch (RuntimeException ex) {
			logger.warn("The receiver of signals of {} failed; its waiters are served when they ask again", this, ex);
		}
	}

	@Override
	public String toString() {
		return name() + "[" + this.instance + "]";
	}

	/**
	 * One renewal within a batch.
	 */
	private interface Renewal {

		RenewReply renew(LockRecord record, AttemptId attempt, Duration ttl);

	}

}
