package io.distributedlock.store.jdbc;

import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.locks.LockSupport;

import javax.sql.DataSource;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Removes rows of locks that have been free for long. A row goes only if its last token
 * lies behind the clock by as much, so that the next one, which is then the clock, is
 * higher (rule S1). All JVMs do it now and then; that they meet does no harm.
 */
final class CleanUp implements AutoCloseable {

	private static final Logger logger = LoggerFactory.getLogger(CleanUp.class);

	/** So that no transaction becomes long. */
	private static final int BATCH = 500;

	private static final Duration SELDOM = Duration.ofMinutes(10);

	private final DataSource source;

	private final Session.Settings sessions;

	private final LockTables tables;

	private final OldRows old;

	private final Duration after;

	private final Duration timeout;

	private final Thread thread;

	private volatile boolean closed;

	CleanUp(DataSource source, Session.Settings sessions, LockTables tables, StoreSettings settings) {
		this.source = source;
		this.sessions = sessions;
		this.tables = tables;
		this.old = new OldRows(tables.names());
		this.after = settings.cleanUpAfter();
		this.timeout = settings.commandTimeout().multipliedBy(10);
		this.thread = new Thread(this::run, "distributed-lock-" + settings.name() + "-clean-up");
		this.thread.setDaemon(true);
	}

	void start() {
		this.thread.start();
	}

	private void run() {
		long pause = Math.min(this.after.toNanos(), SELDOM.toNanos());
		while (!this.closed) {
			long until = System.nanoTime() + ThreadLocalRandom.current().nextLong(pause / 2, pause + 1);
			while (!this.closed && until - System.nanoTime() > 0) {
				LockSupport.parkNanos(this, until - System.nanoTime());
			}
			if (!this.closed) {
				cleanUp();
			}
		}
	}

	/**
	 * Removes what is old.
	 * @return how many rows of locks
	 */
	int cleanUp() {
		int removed = 0;
		try {
			int last;
			do {
				last = removeSome();
				removed += last;
			}
			while (last >= BATCH && !this.closed);
		}
		catch (SQLException | RuntimeException ex) {
			logger.debug("Could not remove rows of locks that are no longer used; it is tried again later", ex);
		}
		return removed;
	}

	private int removeSome() throws SQLException {
		try (Session session = Session.open(this.source, this.sessions, true,
				System.nanoTime() + this.timeout.toNanos())) {
			long before = this.tables.now(session.connection()) - StoreSettings.micros(this.after);
			while (this.old.deleteOldWaiters(session.connection(), before, BATCH) >= BATCH && !this.closed) {
				logger.trace("There may be more entries of those that wait no longer");
			}
			while (this.old.deleteOldClaims(session.connection(), before, BATCH) >= BATCH && !this.closed) {
				logger.trace("There may be more shares that have ended");
			}
			List<String> keys = this.old.oldRows(session.connection(), before, BATCH);
			return this.old.deleteOldRows(session.connection(), keys.stream().sorted().toList(), before);
		}
	}

	@Override
	public void close() {
		this.closed = true;
		LockSupport.unpark(this.thread);
	}

}
