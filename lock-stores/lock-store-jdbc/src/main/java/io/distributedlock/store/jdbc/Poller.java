package io.distributedlock.store.jdbc;

import java.sql.SQLException;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;

import javax.sql.DataSource;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import io.distributedlock.store.jdbc.LockTables.Reservation;

/**
 * Asks, in one query for all keys that this JVM waits for, which of them are reserved for
 * it; more and more seldom while none is, not at all while it waits for none. While it
 * holds locks it asks once a second whether one of them was ended by force.
 */
final class Poller implements AutoCloseable {

	private static final Logger logger = LoggerFactory.getLogger(Poller.class);

	private static final long SHORTEST = 10_000_000;

	private static final long LONGEST = 100_000_000;

	private static final long WORD = 1_000_000_000;

	/** Keys in one query. */
	private static final int MOST_KEYS = 256;

	private final DataSource source;

	private final Session.Settings sessions;

	private final LockTables tables;

	private final Signals signals;

	private final String instance;

	private final long timeout;

	private final BooleanSupplier needless;

	private final Thread thread;

	private Set<Reservation> told = Set.of();

	private volatile boolean rested;

	private volatile boolean closed;

	/**
	 * Makes the poller.
	 * @param needless whether signals come without it
	 */
	Poller(DataSource source, Session.Settings sessions, LockTables tables, Signals signals, StoreSettings settings,
			BooleanSupplier needless) {
		this.source = source;
		this.sessions = sessions;
		this.tables = tables;
		this.signals = signals;
		this.instance = settings.instanceId();
		this.timeout = settings.commandTimeout().toNanos();
		this.needless = needless;
		this.thread = new Thread(this::poll, "distributed-lock-" + settings.name() + "-poll");
		this.thread.setDaemon(true);
	}

	void start() {
		this.thread.start();
	}

	/** There is something new to wait for. */
	void wakeUp() {
		if (this.rested) {
			this.rested = false;
			LockSupport.unpark(this.thread);
		}
	}

	private void poll() {
		long pause = SHORTEST;
		long wordAt = System.nanoTime() + WORD;
		while (!this.closed) {
			List<String> keys = this.needless.getAsBoolean() ? List.of() : this.signals.waitedFor();
			boolean found = false;
			if (!keys.isEmpty()) {
				found = lookFor(keys);
				pause = found ? SHORTEST : Math.min(LONGEST, pause + pause / 2);
			}
			if (System.nanoTime() - wordAt >= 0) {
				wordAt = System.nanoTime() + WORD;
				if (!this.needless.getAsBoolean() && this.signals.holdsAny()) {
					readWord();
				}
			}
			if (keys.isEmpty()) {
				pause = SHORTEST;
				rest();
			}
			else {
				LockSupport.parkNanos(this, ThreadLocalRandom.current().nextLong(pause / 2, pause + pause / 4));
			}
		}
	}

	private void rest() {
		this.rested = true;
		if (!this.closed && (this.needless.getAsBoolean() || this.signals.waitedFor().isEmpty())) {
			LockSupport.parkNanos(this, Duration.ofMillis(500).toNanos());
		}
		this.rested = false;
	}

	private boolean lookFor(List<String> keys) {
		Set<Reservation> found = new HashSet<>();
		try (Session session = Session.open(this.source, this.sessions, true, System.nanoTime() + this.timeout)) {
			for (int i = 0; i < keys.size(); i += MOST_KEYS) {
				found.addAll(this.tables.reservations(session.connection(), this.instance,
						keys.subList(i, Math.min(keys.size(), i + MOST_KEYS))));
			}
		}
		catch (SQLException | RuntimeException ex) {
			logger.debug("Could not ask for reservations; waiters ask for themselves", ex);
			return false;
		}
		Set<Reservation> before = this.told;
		this.told = found;
		for (Reservation reservation : found) {
			if (!before.contains(reservation)) {
				this.signals.reserved(reservation.key(), reservation.attempt());
			}
		}
		return !found.isEmpty();
	}

	private void readWord() {
		List<String> attempts;
		try (Session session = Session.open(this.source, this.sessions, true, System.nanoTime() + this.timeout)) {
			attempts = this.tables.readWord(session.connection(), this.instance);
		}
		catch (SQLException | RuntimeException ex) {
			logger.debug("Could not ask for grants that were ended by force; their renewals will tell", ex);
			return;
		}
		attempts.forEach(this.signals::revoked);
	}

	@Override
	public void close() {
		this.closed = true;
		LockSupport.unpark(this.thread);
		try {
			this.thread.join(200);
		}
		catch (InterruptedException ex) {
			Thread.currentThread().interrupt();
		}
	}

}
