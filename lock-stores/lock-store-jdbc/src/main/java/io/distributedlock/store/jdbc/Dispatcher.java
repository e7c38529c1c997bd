package io.distributedlock.store.jdbc;

import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.locks.LockSupport;

import javax.sql.DataSource;

import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import io.distributedlock.spi.StoreException;
import io.distributedlock.store.jdbc.Lanes.Batch;
import io.distributedlock.store.jdbc.Operation.Lane;
import io.distributedlock.store.jdbc.Session.Phase;

/**
 * Runs operations on threads of its own, each with a connection of its own for as long as
 * one transaction takes. So a transaction that the caller's thread has open is never
 * touched, and no connection is held between two commands.
 */
final class Dispatcher implements AutoCloseable {

	private static final Logger logger = LoggerFactory.getLogger(Dispatcher.class);

	private static final int TRIES_TOGETHER = 3;

	/** Nanoseconds before the next try; grows with each. */
	private static final long PAUSE = 1_000_000;

	private static final int LONGEST_PAUSE_DOUBLINGS = 5;

	private final DataSource source;

	private final Session.Settings sessions;

	private final String address;

	private final Dialect dialect;

	private final LockTransaction transaction;

	private final @Nullable FastPath fast;

	private final Lanes lanes;

	private final Deadlines deadlines;

	private final List<Thread> workers = new ArrayList<>();

	private final Set<Session> open = ConcurrentHashMap.newKeySet();

	private volatile boolean closed;

	Dispatcher(DataSource source, Session.Settings sessions, String address, Dialect dialect,
			LockTransaction transaction, @Nullable FastPath fast, StoreSettings settings) {
		this.source = source;
		this.sessions = sessions;
		this.address = address;
		this.dialect = dialect;
		this.transaction = transaction;
		this.fast = fast;
		String name = "distributed-lock-" + settings.name();
		this.lanes = new Lanes(settings.parallelism());
		this.deadlines = new Deadlines(address, sessions.failures(), name);
		for (int i = 1; i <= settings.parallelism(); i++) {
			Thread worker = new Thread(this::work, name + "-" + i);
			worker.setDaemon(true);
			this.workers.add(worker);
		}
	}

	void start() {
		this.deadlines.start();
		this.workers.forEach(Thread::start);
	}

	/**
	 * Sends an operation, together with others that come at the same time.
	 */
	void submit(Operation<?> operation) {
		submitAll(operation.lane(), List.of(operation));
	}

	/**
	 * Sends operations of one lane.
	 */
	void submitAll(Lane lane, List<? extends Operation<?>> operations) {
		operations.forEach(this.deadlines::add);
		if (!this.lanes.add(hasLane(lane) ? lane : Lane.LOOK, operations)) {
			operations.forEach((operation) -> operation.fail(closed(false)));
		}
	}

	/**
	 * Where there is no short way, most lanes would only make more and smaller
	 * transactions. What keeps and ends grants goes its own way all the same, so that it
	 * never queues behind what waits for locked rows.
	 */
	private boolean hasLane(Lane lane) {
		return this.fast != null || lane == Lane.RENEW || lane == Lane.RELEASE || lane == Lane.SHARES;
	}

	private static StoreException closed(boolean sent) {
		return new StoreException("The lock store is closed.", sent, false, null);
	}

	private void work() {
		try {
			for (Batch batch = this.lanes.take(); batch != null; batch = this.lanes.take()) {
				List<Operation<?>> left = List.of();
				try {
					left = run(batch);
				}
				catch (Throwable ex) {
					// Also an Error: the callers have to be answered.
					fail(batch.operations(), new StoreException("The lock store failed: " + ex, true, false, ex));
				}
				this.lanes.ended(batch);
				if (!left.isEmpty() && !this.lanes.add(Lane.LOOK, left)) {
					fail(left, closed(false));
				}
			}
		}
		catch (InterruptedException ex) {
			Thread.currentThread().interrupt();
		}
	}

	private static void answer(List<Runnable> answers) {
		for (Runnable answer : answers) {
			try {
				answer.run();
			}
			catch (RuntimeException | Error ex) {
				logger.error("The answer to a lock command could not be delivered", ex);
			}
		}
	}

	/**
	 * Runs a batch until each of its operations has an answer or has failed, or has to be
	 * looked at.
	 * @return those that have to be looked at
	 */
	private List<Operation<?>> run(Batch batch) throws InterruptedException {
		List<Operation<?>> operations = batch.operations();
		for (int tries = 0;; tries++) {
			operations = operations.stream().filter((operation) -> !operation.isDone() && !operation.isLate()).toList();
			if (operations.isEmpty() || this.closed) {
				fail(operations, closed(false));
				return List.of();
			}
			List<Runnable> answers = new ArrayList<>();
			Failure failure = attempt(batch.lane(), operations, answers);
			if (failure == null) {
				// Before the batch ends, so that what these callers ask for next is part
				// of the next one.
				answer(answers);
				return operations.stream().filter((operation) -> !operation.isDone()).toList();
			}
			boolean alone = operations.size() == 1;
			if (failure.kind().isTransient() && (alone || tries < TRIES_TOGETHER)) {
				pause(tries);
			}
			else if (!alone && failure.kind().isAnswer() && failure.kind() != JdbcErrors.READ_ONLY) {
				// One operation must not make the others fail.
				operations.forEach(Operation::markAlone);
				return operations;
			}
			else {
				fail(operations, failure.exception());
				return List.of();
			}
		}
	}

	private @Nullable Failure attempt(Lane lane, List<Operation<?>> operations, List<Runnable> answers) {
		long deadline = operations.stream()
			.mapToLong(Operation::deadline)
			.reduce((a, b) -> (a - b > 0) ? a : b)
			.orElse(0);
		FastPath fast = lane.isQuick() ? this.fast : null;
		Phase phase = Phase.OPENING;
		Session session = null;
		try {
			session = Session.open(this.source, this.sessions, fast != null, deadline);
			this.open.add(session);
			operations.forEach(Operation::markSent);
			if (fast != null) {
				answers.addAll(fast.run(session, quick(operations), deadline));
			}
			else {
				boolean wait = lane == Lane.LOOK && operations.stream().map(Operation::id).distinct().count() == 1;
				answers.addAll(this.transaction.run(session, operations, wait, deadline));
			}
			return null;
		}
		catch (SQLException | RuntimeException ex) {
			phase = (session != null) ? session.phase() : Phase.OPENING;
			JdbcErrors kind = JdbcErrors.of(ex, phase);
			if (session != null) {
				if (fast == null) {
					session.rollback();
				}
				// Another connection may lead to the server that is the primary now.
				if (!kind.isAnswer() || kind == JdbcErrors.READ_ONLY) {
					session.broken();
				}
			}
			if (!kind.mayHaveExecuted(phase)) {
				operations.forEach(Operation::markUnsent);
			}
			return new Failure(kind, kind.exception(ex, phase, this.address, this.dialect));
		}
		finally {
			if (session != null) {
				this.open.remove(session);
				session.close();
			}
		}
	}

	private static List<? extends QuickOperation<?>> quick(List<Operation<?>> operations) {
		List<QuickOperation<?>> quick = new ArrayList<>(operations.size());
		operations.forEach((operation) -> quick.add((QuickOperation<?>) operation));
		return quick;
	}

	private static void fail(List<? extends Operation<?>> operations, StoreException failure) {
		operations.forEach((operation) -> operation.fail(failure));
	}

	private static void pause(int tries) throws InterruptedException {
		long longest = PAUSE << Math.min(tries, LONGEST_PAUSE_DOUBLINGS);
		LockSupport.parkNanos(ThreadLocalRandom.current().nextLong(longest / 2, longest));
		if (Thread.interrupted()) {
			throw new InterruptedException();
		}
	}

	/**
	 * Fails what is under way, and gives all connections back.
	 */
	@Override
	public void close() {
		this.closed = true;
		fail(this.lanes.close(), closed(false));
		for (Operation<?> operation : this.deadlines.open()) {
			operation.fail(closed(operation.wasSent()));
		}
		this.deadlines.close();
		long limit = System.nanoTime() + 500_000_000;
		try {
			for (Thread worker : this.workers) {
				worker.join(Math.max(1, (limit - System.nanoTime()) / 1_000_000));
				if (worker.isAlive()) {
					this.open.forEach(Session::abort);
					worker.interrupt();
				}
			}
		}
		catch (InterruptedException ex) {
			Thread.currentThread().interrupt();
			this.open.forEach(Session::abort);
		}
	}

	private record Failure(JdbcErrors kind, StoreException exception) {
	}

}
