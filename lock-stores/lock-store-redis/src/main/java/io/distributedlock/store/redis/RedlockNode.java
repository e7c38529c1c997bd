package io.distributedlock.store.redis;

import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import java.util.function.Function;

import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.data.redis.connection.RedisConnectionFactory;

import io.distributedlock.LockInspector.StoredLock;
import io.distributedlock.LockKey;
import io.distributedlock.spi.AbandonCommand;
import io.distributedlock.spi.AcquireCommand;
import io.distributedlock.spi.AcquireReply;
import io.distributedlock.spi.AttemptId;
import io.distributedlock.spi.ExtendCommand;
import io.distributedlock.spi.ExtendReply;
import io.distributedlock.spi.ReleaseCommand;
import io.distributedlock.spi.ReleaseReply;
import io.distributedlock.spi.RenewCommand;
import io.distributedlock.spi.RenewReply;
import io.distributedlock.spi.StoreException;

/**
 * One server of a Redlock. It is asked with the same operations as a store of its own,
 * and knows nothing of the others.
 */
final class RedlockNode implements AutoCloseable {

	private static final Logger logger = LoggerFactory.getLogger(RedlockNode.class);

	/** So that a server that comes and goes does not fill the log. */
	private static final long TELLING_PAUSE = 10_000_000_000L;

	private final RedisConnectionFactory application;

	private final String address;

	private final RedisLockStore.Builder settings;

	private final String storeName;

	private final AtomicBoolean probing = new AtomicBoolean();

	private volatile @Nullable Link link;

	private volatile boolean silent;

	private volatile boolean excluded;

	private volatile boolean failing;

	private final AtomicLong nextTelling = new AtomicLong(System.nanoTime());

	private volatile String trouble;

	RedlockNode(RedisConnectionFactory application, RedisLockStore.Builder settings, String storeName) {
		this.application = application;
		this.address = Transports.address(application);
		this.settings = settings;
		this.storeName = storeName;
		this.trouble = "There is no connection to Redis yet. [server " + this.address + "]";
	}

	String address() {
		return this.address;
	}

	/**
	 * Opens connections, which then mend themselves. Blocks for a few command timeouts at
	 * most.
	 * @param examiner takes what the server says of itself, nothing if it may not be
	 * asked; the server is not asked for locks if it throws
	 * @throws StoreException if it cannot be reached, or the examiner's
	 */
	void connect(Consumer<Map<String, String>> examiner) {
		RedisTransport transport;
		try {
			transport = Transports.open(this.application, this.settings.commandTimeout, ReplicaRule.NONE);
		}
		catch (StoreException ex) {
			this.trouble = inOwnWords(String.valueOf(ex.getMessage()));
			throw new StoreException(this.trouble, ex.mayHaveExecuted(), ex.isRetryable(), ex);
		}
		KeyLayout layout = new KeyLayout(this.settings.prefix, false);
		Dispatcher dispatcher = new Dispatcher(transport, layout.buckets(), ReplicaRule.NONE);
		StoreContext context = new StoreContext(layout, transport.address(), this.settings, () -> false,
				dispatcher::sendAlone);
		Link opened = new Link(transport, dispatcher, context, layout);
		try {
			examiner.accept(opened.info());
		}
		catch (RuntimeException ex) {
			opened.close();
			throw ex;
		}
		dispatcher.start();
		this.link = opened;
		if (this.excluded) {
			// Closed meanwhile.
			exclude(this.trouble);
		}
	}

	/**
	 * What is said of any Redis names the properties of the one that is configured by
	 * {@code spring.data.redis}.
	 */
	private static String inOwnWords(String message) {
		return message.replace("spring.data.redis.*", "distributed-lock.redlock.nodes")
			.replace("are distributed-lock", "is distributed-lock")
			.replace("spring.data.redis.", "distributed-lock.redlock.")
			.replace("spring.data.redis", "distributed-lock.redlock.nodes");
	}

	/**
	 * Tells whether {@link #connect} has still to succeed.
	 */
	boolean needsConnection() {
		return this.link == null && !this.excluded;
	}

	/**
	 * Gives the server up for good.
	 * @param reason what to tell those who ask it
	 */
	void exclude(String reason) {
		this.trouble = reason;
		this.excluded = true;
		Link opened = this.link;
		this.link = null;
		if (opened != null) {
			opened.close();
		}
	}

	/**
	 * Returns why there is no connection.
	 */
	String trouble() {
		return this.trouble;
	}

	/**
	 * Returns what the server says of itself, nothing if it cannot or may not be asked.
	 */
	Map<String, String> info() {
		Link opened = this.link;
		return (opened != null) ? opened.info() : Map.of();
	}

	/**
	 * Looks for things that would harm locks.
	 */
	List<String> check() {
		Link opened = this.link;
		return (opened == null) ? List.of(this.trouble) : new StartupChecks(opened.transport, opened.layout,
				this.settings.instanceId, this.settings.commandTimeout)
			.run(ReplicaRule.NONE);
	}

	/**
	 * Tells whether the last command found no answer in its time.
	 */
	boolean isSilent() {
		return this.silent;
	}

	/**
	 * Allows one command at a time to find out whether a silent server is back. Each
	 * answer and each failure ends that.
	 */
	boolean mayProbe() {
		return this.probing.compareAndSet(false, true);
	}

	/**
	 * A command could not even be made, so that nothing will be heard of it.
	 */
	void endProbe() {
		this.probing.set(false);
	}

	StoreException leftOut() {
		return new StoreException(
				"The server has not answered lately and is left out until it does. [server " + this.address + "]",
				false, true, null);
	}

	CompletableFuture<AcquireReply> acquire(AcquireCommand command, long deadline) {
		return send(deadline, (context) -> new AcquireOperation(context, command, false, deadline));
	}

	CompletableFuture<Boolean> raise(LockKey key, AttemptId attempt, long first, long last, Duration ttl,
			long deadline) {
		return send(deadline, (context) -> new RaiseOperation(context, key, attempt, first, last, ttl, deadline));
	}

	CompletableFuture<ExtendReply> extend(ExtendCommand command, long deadline) {
		return send(deadline, (context) -> new ExtendOperation(context, command, deadline));
	}

	CompletableFuture<ReleaseReply> release(ReleaseCommand command, long deadline) {
		return send(deadline, (context) -> new ReleaseOperation(context, command, deadline));
	}

	CompletableFuture<@Nullable Void> abandon(LockKey key, AttemptId attempt, long deadline) {
		AbandonCommand command = new AbandonCommand(key, attempt, this.settings.commandTimeout);
		return send(deadline, (context) -> new AbandonOperation(context, command, deadline));
	}

	CompletableFuture<Optional<StoredLock>> inspect(LockKey key, long deadline) {
		return send(deadline, (context) -> new InspectOperation(context, key, this.storeName, deadline));
	}

	CompletableFuture<Boolean> forceRelease(LockKey key, long token, long deadline) {
		return send(deadline, (context) -> new ForceReleaseOperation(context, key, token, deadline));
	}

	/**
	 * Renews many grants, in as few calls as possible.
	 */
	List<CompletableFuture<RenewReply>> renew(List<RenewCommand> commands, long deadline) {
		Link opened = this.link;
		List<CompletableFuture<RenewReply>> replies = new ArrayList<>(commands.size());
		if (opened == null) {
			commands.forEach((command) -> replies.add(notConnected()));
			return replies;
		}
		List<RenewOperation> operations = new ArrayList<>(commands.size());
		for (RenewCommand command : commands) {
			// Late, it must not take away what a later one has promised: the majority
			// that
			// answered that one may need this server.
			RenewOperation operation = new RenewOperation(opened.context, command, false, deadline);
			operation.whenComplete((reply, failure) -> heard(failure, deadline));
			operations.add(operation);
		}
		submit(operations, () -> opened.dispatcher.submitAll(operations));
		replies.addAll(operations);
		return replies;
	}

	private <R> CompletableFuture<R> send(long deadline, Function<StoreContext, Operation<R>> operation) {
		Link opened = this.link;
		if (opened == null) {
			return notConnected();
		}
		Operation<R> made = operation.apply(opened.context);
		made.whenComplete((reply, failure) -> heard(failure, deadline));
		submit(List.of(made), () -> opened.dispatcher.submit(made));
		return made;
	}

	/**
	 * What cannot be sent ends as well, or nobody would ever hear of it.
	 */
	private void submit(List<? extends Operation<?>> operations, Runnable sending) {
		try {
			sending.run();
		}
		catch (RuntimeException | Error ex) {
			operations.forEach((operation) -> operation.fail(new StoreException(
					"The command could not be sent: " + ex + ". [server " + this.address + "]", true, true, ex)));
		}
	}

	private <R> CompletableFuture<R> notConnected() {
		endProbe();
		return CompletableFuture.failedFuture(new StoreException(this.trouble, false, !this.excluded, null));
	}

	private void heard(@Nullable Throwable failure, long deadline) {
		// Read before the server counts as silent: then a probe may begin that is another
		// command.
		boolean probed = this.probing.get();
		boolean unheard = failure != null && System.nanoTime() - deadline >= 0;
		if (this.silent != unheard) {
			this.silent = unheard;
		}
		if (failure != null || this.failing) {
			tell(failure);
		}
		if (probed) {
			endProbe();
		}
	}

	/**
	 * Nobody else says that one of several servers fails: locks go on without it.
	 */
	private void tell(@Nullable Throwable failure) {
		long now = System.nanoTime();
		long next = this.nextTelling.get();
		if ((failure != null) == this.failing || now - next < 0 || this.excluded
				|| !this.nextTelling.compareAndSet(next, now + TELLING_PAUSE)) {
			return;
		}
		this.failing = failure != null;
		if (failure != null) {
			logger.warn("A Redlock server fails. Locks go on as long as a majority of the servers does not. {}",
					failure.getMessage());
		}
		else {
			logger.info("The Redlock server {} answers again", this.address);
		}
	}

	@Override
	public void close() {
		exclude("The lock store is closed.");
	}

	@Override
	public String toString() {
		return this.address;
	}

	/**
	 * What belongs to one set of connections.
	 */
	private record Link(RedisTransport transport, Dispatcher dispatcher, StoreContext context, KeyLayout layout) {

		Map<String, String> info() {
			Map<String, String> values = new HashMap<>();
			try {
				for (String line : this.transport.info("server").split("\\r?\\n")) {
					int colon = line.indexOf(':');
					if (colon > 0) {
						values.put(line.substring(0, colon), line.substring(colon + 1).trim());
					}
				}
			}
			catch (StoreException ex) {
				// Nobody has to grant INFO for locks to work.
				return Map.of();
			}
			return values;
		}

		void close() {
			this.dispatcher.close();
			this.transport.close();
		}

	}

}
