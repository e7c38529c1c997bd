package io.distributedlock.store.etcd;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Supplier;

import io.etcd.jetcd.ByteSequence;
import io.etcd.jetcd.KV;
import io.etcd.jetcd.Lease;
import io.etcd.jetcd.op.Op;
import io.etcd.jetcd.options.GetOption;
import io.etcd.jetcd.options.PutOption;
import org.jspecify.annotations.Nullable;

import io.distributedlock.spi.StoreException;

/**
 * The leases of this JVM: one for all grants of about the same ttl, however many they
 * are, and one for its places in queues.
 * <p>
 * The lease for a ttl of n seconds lives n + {@value #MARGIN} seconds without keep-alive.
 * A grant or a renewal is given out only while the lease is known to live for the whole
 * ttl. So a busy lease is kept alive about once a second, which costs etcd no write to
 * its log, and a dead JVM's locks end n + {@value #MARGIN} seconds later, and a little
 * for etcd to notice.
 * <p>
 * "Known to live" counts from before the keep-alive was sent, on this JVM's monotonic
 * clock. A new leader starts all leases anew, so it never shortens them.
 */
final class Sessions {

	/** How many seconds longer than needed a lease lives. */
	static final int MARGIN = 2;

	private static final long SECOND = 1_000_000_000;

	private static final long PAUSE = SECOND / 5;

	/** How many command timeouts it may take to get a lease. */
	private static final int OPENING = 5;

	private final Lease leases;

	private final KV kv;

	private final KeyLayout layout;

	private final String instance;

	private final EtcdErrors errors;

	private final Transactions transactions;

	private final Timers timers;

	private final long commandTimeout;

	private final long idleTime;

	private final Consumer<Session> onLoss;

	private final Map<Integer, CompletableFuture<Session>> open = new ConcurrentHashMap<>();

	private final ReentrantLock mutex = new ReentrantLock();

	private volatile boolean closed;

	Sessions(Lease leases, KV kv, KeyLayout layout, String instance, EtcdErrors errors, Transactions transactions,
			Timers timers, Duration commandTimeout, Duration idleTime, Consumer<Session> onLoss) {
		this.leases = leases;
		this.kv = kv;
		this.layout = layout;
		this.instance = instance;
		this.errors = errors;
		this.transactions = transactions;
		this.timers = timers;
		this.commandTimeout = commandTimeout.toNanos();
		this.idleTime = idleTime.toNanos();
		this.onLoss = onLoss;
	}

	/**
	 * Returns for how many seconds the lease of something that must live for a time is
	 * made: rounded up to four binary digits, so that there are few leases.
	 */
	static int seconds(Duration time) {
		long seconds = Math.max(1, time.plusNanos(SECOND - 1).toSeconds());
		int low = Math.max(0, 60 - Long.numberOfLeadingZeros(seconds));
		long rounded = ((seconds + (1L << low) - 1) >> low) << low;
		return (int) Math.min(rounded, 1 << 30);
	}

	/**
	 * Goes on with a session that lives for a time from now, mostly at once.
	 * @param operation that needs it; fails if there is none
	 */
	void use(Operation<?> operation, Duration time, Consumer<Session> next) {
		CompletableFuture<Session> current = session(seconds(time));
		long now = System.nanoTime();
		if (current.isDone() && !current.isCompletedExceptionally()) {
			Session session = current.join();
			session.usedAt = now;
			long left = session.aliveUntil() - now - time.toNanos();
			if (!session.isLost() && left >= 0) {
				if (left < SECOND) {
					keepAlive(session);
				}
				next.accept(session);
				return;
			}
		}
		current
			.thenCompose((session) -> session.isLost() || session.aliveUntil() - now >= time.toNanos()
					? CompletableFuture.completedFuture(session) : keepAlive(session))
			.whenComplete((session, failure) -> operation.attempt(() -> {
				if (failure != null) {
					StoreException cause = this.errors.translateUnsent(failure);
					if (!this.errors.isLeaseLost(failure)) {
						throw cause;
					}
				}
				use(operation, time, next);
			}));
	}

	/**
	 * Returns a session that is there already, or opens the shortest.
	 */
	CompletableFuture<Session> any() {
		Session opened = find((session) -> !session.isLost());
		return (opened != null) ? CompletableFuture.completedFuture(opened) : session(1);
	}

	private CompletableFuture<Session> session(int seconds) {
		CompletableFuture<Session> current = this.open.get(seconds);
		if (current != null && !current.isCompletedExceptionally() && !(current.isDone() && current.join().isLost())) {
			return current;
		}
		this.mutex.lock();
		try {
			CompletableFuture<Session> again = this.open.get(seconds);
			if (again != null && again != current) {
				return again;
			}
			CompletableFuture<Session> opening = open(seconds);
			this.open.put(seconds, opening);
			return opening;
		}
		finally {
			this.mutex.unlock();
		}
	}

	private CompletableFuture<Session> open(int seconds) {
		if (this.closed) {
			return CompletableFuture.failedFuture(this.errors.closed());
		}
		CompletableFuture<Session> opened = new CompletableFuture<>();
		// Longer than whoever waits for it: the next try finds it done.
		limit(opened, OPENING * this.commandTimeout);
		// The read fails at once and says why, where the client would try to get a lease
		// again and again.
		this.transactions.read(Op.get(this.layout.mailbox(this.instance), GetOption.DEFAULT))
			.thenCompose((reachable) -> grant(seconds))
			.whenComplete((session, failure) -> complete(opened, session, failure));
		return opened;
	}

	private CompletableFuture<Session> grant(int seconds) {
		long sent = System.nanoTime();
		return call(() -> this.leases.grant(seconds + MARGIN, OPENING * this.commandTimeout, TimeUnit.NANOSECONDS))
			.thenCompose((lease) -> {
				ByteSequence marker = this.layout.marker(this.instance, lease.getID());
				PutOption leased = PutOption.builder().withLeaseId(lease.getID()).build();
				return this.kv.put(marker, KeyLayout.bytes(this.instance), leased)
					.thenApply((put) -> new Session(seconds, lease.getID(), marker, put.getHeader().getRevision(),
							sent + lease.getTTL() * SECOND, System.nanoTime()));
			});
	}

	/**
	 * Keeps a lease alive, with one request at a time.
	 */
	CompletableFuture<Session> keepAlive(Session session) {
		CompletableFuture<Session> keeping = new CompletableFuture<>();
		long sent;
		this.mutex.lock();
		try {
			if (!session.keeping.isDone()) {
				return session.keeping;
			}
			sent = System.nanoTime();
			session.keeping = keeping;
			session.keptAt = sent;
		}
		finally {
			this.mutex.unlock();
		}
		limit(keeping, this.commandTimeout);
		this.transactions.insist(() -> this.leases.keepAliveOnce(session.lease)).whenComplete((reply, failure) -> {
			if (failure == null) {
				session.keptUntil(sent + reply.getTTL() * SECOND);
			}
			else if (this.errors.isLeaseLost(failure)) {
				lost(session);
			}
			complete(keeping, session, failure);
		});
		return keeping;
	}

	/**
	 * Makes all requests of a session that are still on their way without effect.
	 */
	CompletableFuture<Session> fence(Session session, long deadline) {
		CompletableFuture<Session> fencing = new CompletableFuture<>();
		this.mutex.lock();
		try {
			if (!session.fencing.isDone()) {
				return session.fencing;
			}
			session.fencing = fencing;
		}
		finally {
			this.mutex.unlock();
		}
		Request request = new Request(deadline, (answer) -> {
			if (answer.succeeded()) {
				session.sawMarker(answer.revision());
			}
			else {
				sawMarker(session, answer.lastRead());
			}
			fencing.complete(session);
		}, fencing::completeExceptionally);
		request.ifLives(session)
			.put(session.marker, KeyLayout.bytes(this.instance), session.lease)
			.elseRead(session.marker);
		limit(fencing, this.commandTimeout);
		this.transactions.submit(request);
		return fencing;
	}

	/**
	 * Notes what a session's marker was found to be.
	 * @param revision its latest write, 0 if it is not there
	 */
	void sawMarker(Session session, long revision) {
		if (revision == 0) {
			lost(session);
		}
		else {
			session.sawMarker(revision);
		}
	}

	/**
	 * Notes that a lease has ended.
	 */
	void lost(Session session) {
		session.end();
		if (session.lose()) {
			this.onLoss.accept(session);
		}
	}

	@Nullable Session find(Function<Session, Boolean> condition) {
		for (Session session : opened()) {
			if (condition.apply(session)) {
				return session;
			}
		}
		return null;
	}

	List<Session> opened() {
		List<Session> sessions = new ArrayList<>(4);
		for (CompletableFuture<Session> session : this.open.values()) {
			if (session.isDone() && !session.isCompletedExceptionally()) {
				sessions.add(session.join());
			}
		}
		return sessions;
	}

	/**
	 * Keeps alive what is used, and lets go of what is not.
	 */
	void tick(long now) {
		for (Session session : opened()) {
			if (session.isLost()) {
				continue;
			}
			boolean busy = now - session.usedAt < 2 * SECOND;
			long wanted = busy ? (session.seconds + 1) * SECOND : (session.seconds + MARGIN) * SECOND / 2;
			if (session.users.isEmpty() && now - session.usedAt > this.idleTime) {
				this.open.computeIfPresent(session.seconds,
						(seconds, current) -> current.getNow(null) == session ? null : current);
				// It is not revoked: whoever has just begun to use it is safe for its
				// time.
				session.lose();
			}
			else if (session.aliveUntil() - now < wanted && now - session.keptAt > PAUSE) {
				keepAlive(session);
			}
		}
	}

	/**
	 * Ends the leases that nothing depends on. The others end by themselves, as if the
	 * JVM had died: what they hold may still be in use, also by other JVMs.
	 */
	void close() {
		this.closed = true;
		for (Session session : opened()) {
			boolean holding = session.users.stream()
				.anyMatch((user) -> !(user instanceof Stake stake) || stake.state() == Stake.State.HELD);
			if (!holding && !session.isPromised(System.nanoTime()) && session.lose()) {
				call(() -> this.leases.revoke(session.lease));
			}
		}
	}

	private static <T> CompletableFuture<T> call(Supplier<CompletableFuture<T>> call) {
		try {
			return call.get();
		}
		catch (RuntimeException ex) {
			return CompletableFuture.failedFuture(ex);
		}
	}

	private void limit(CompletableFuture<?> reply, long time) {
		Future<?> timeout = this.timers.after(time, () -> reply.completeExceptionally(this.errors.timedOut(true)));
		reply.whenComplete((done, failure) -> timeout.cancel(false));
	}

	private static <T> void complete(CompletableFuture<T> future, @Nullable T value, @Nullable Throwable failure) {
		if (failure != null) {
			future.completeExceptionally(failure);
		}
		else {
			future.complete(value);
		}
	}

}
