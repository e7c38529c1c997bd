package io.distributedlock.store.jdbc;

import java.sql.Connection;
import java.sql.SQLException;
import java.sql.SQLFeatureNotSupportedException;
import java.sql.Statement;

import javax.sql.DataSource;

import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One use of one connection: borrowed, set as this store needs it, and given back as it
 * was. Remembers how far it came, which decides whether a failure leaves the outcome
 * open.
 */
final class Session implements AutoCloseable {

	private static final Logger logger = LoggerFactory.getLogger(Session.class);

	/** The watch fails operations in time; this only frees the thread. */
	private static final int SLACK_MILLIS = 100;

	/** How long a server waits for the next statement of a transaction. */
	private static final int IDLE_SECONDS = 2;

	private final Connection connection;

	private final boolean autoCommit;

	private final int isolation;

	private final int networkTimeout;

	/** Whether there is a transaction that was neither committed nor rolled back. */
	private boolean undecided;

	private boolean limited;

	private volatile Phase phase = Phase.OPENING;

	private boolean broken;

	private Session(Connection connection, boolean autoCommit, int isolation, int networkTimeout) {
		this.connection = connection;
		this.autoCommit = autoCommit;
		this.isolation = isolation;
		this.networkTimeout = networkTimeout;
	}

	/**
	 * Borrows a connection.
	 * @param source where from
	 * @param settings what is known of its connections
	 * @param autoCommit whether each statement is a transaction of its own
	 * @param deadline when nobody waits for the answer any more
	 */
	static Session open(DataSource source, Settings settings, boolean autoCommit, long deadline) throws SQLException {
		Connection connection = borrow(source, settings.failures());
		boolean before = true;
		int isolation = Settings.UNKNOWN;
		int networkTimeout = Settings.UNKNOWN;
		try {
			before = connection.getAutoCommit();
			networkTimeout = settings.limit(connection, deadline);
			if (settings.isolationToSet() && !settings.isMySql()) {
				isolation = connection.getTransactionIsolation();
				connection.setTransactionIsolation(Connection.TRANSACTION_READ_COMMITTED);
			}
			if (before != autoCommit) {
				connection.setAutoCommit(autoCommit);
			}
		}
		catch (SQLException | RuntimeException | Error ex) {
			Session failed = new Session(connection, before, isolation, networkTimeout);
			failed.broken = true;
			failed.close();
			throw ex;
		}
		Session session = new Session(connection, before, isolation, networkTimeout);
		if (settings.isMySql() && !autoCommit) {
			session.limitTransaction(settings, deadline);
		}
		session.phase = Phase.WORKING;
		session.undecided = !autoCommit;
		return session;
	}

	private static Connection borrow(DataSource source, ConnectionFailures failures) throws SQLException {
		try {
			Connection connection = source.getConnection();
			failures.succeeded();
			return connection;
		}
		catch (SQLException | RuntimeException ex) {
			failures.failed(ex);
			throw ex;
		}
	}

	/**
	 * In MySQL and MariaDB: a server that waits for this client for long ends the
	 * connection, and with it the transaction, so that a host that was lost in the middle
	 * leaves no rows locked.
	 */
	private void limitTransaction(Settings settings, long deadline) throws SQLException {
		try (Statement statement = this.connection.createStatement()) {
			statement.execute("SET @distributed_lock_idle = @@SESSION.wait_timeout,"
					+ " @distributed_lock_row = @@SESSION.innodb_lock_wait_timeout, SESSION wait_timeout = "
					+ IDLE_SECONDS + ", SESSION innodb_lock_wait_timeout = " + Settings.seconds(deadline));
			this.limited = true;
			if (settings.isolationToSet()) {
				statement.execute("SET TRANSACTION ISOLATION LEVEL READ COMMITTED");
			}
		}
		catch (SQLException | RuntimeException | Error ex) {
			this.broken = true;
			close();
			throw ex;
		}
	}

	Connection connection() {
		return this.connection;
	}

	Phase phase() {
		return this.phase;
	}

	/** From here on, a failure may come after the database has done it. */
	void committing() {
		this.phase = Phase.COMMITTING;
	}

	void commit() throws SQLException {
		committing();
		this.connection.commit();
		this.undecided = false;
		this.phase = Phase.DONE;
	}

	void done() {
		this.phase = Phase.DONE;
	}

	/** Ends the transaction without any change. */
	void rollback() {
		if (this.phase == Phase.DONE) {
			return;
		}
		try {
			this.connection.rollback();
			this.undecided = false;
		}
		catch (SQLException | RuntimeException ex) {
			this.broken = true;
			logger.debug("A connection could not be rolled back and is closed", ex);
		}
	}

	/** The connection is not to be used any more. */
	void broken() {
		this.broken = true;
	}

	/** Cuts the connection, from another thread. */
	void abort() {
		try {
			this.connection.abort(Runnable::run);
		}
		catch (SQLException | RuntimeException ex) {
			logger.debug("A connection could not be cut", ex);
		}
	}

	/**
	 * Gives the connection back. What went wrong here can no longer harm anybody but the
	 * next user of the connection, so that a connection that cannot be restored is cut.
	 */
	@Override
	public void close() {
		// To restore it would commit what was not finished.
		this.broken |= this.undecided;
		if (!this.broken) {
			restore();
		}
		if (this.broken) {
			abort();
		}
		try {
			this.connection.close();
		}
		catch (SQLException | RuntimeException ex) {
			logger.debug("A connection could not be closed", ex);
		}
	}

	private void restore() {
		try {
			if (this.limited) {
				try (Statement statement = this.connection.createStatement()) {
					statement.execute("SET SESSION wait_timeout = @distributed_lock_idle,"
							+ " SESSION innodb_lock_wait_timeout = @distributed_lock_row");
				}
			}
			if (this.connection.getAutoCommit() != this.autoCommit) {
				this.connection.setAutoCommit(this.autoCommit);
			}
			if (this.isolation != Settings.UNKNOWN) {
				this.connection.setTransactionIsolation(this.isolation);
			}
			if (this.networkTimeout != Settings.UNKNOWN) {
				this.connection.setNetworkTimeout(Runnable::run, this.networkTimeout);
			}
		}
		catch (SQLException | RuntimeException ex) {
			this.broken = true;
			logger.debug("A connection could not be restored and is cut", ex);
		}
	}

	/**
	 * How far the use of a connection came.
	 */
	enum Phase {

		/** There is no transaction. */
		OPENING,

		/** There is one, and nothing of it counts yet. */
		WORKING,

		/** The database was told to make it count. */
		COMMITTING,

		/** It is known to count, or to have ended. */
		DONE

	}

	/**
	 * What is known of the connections of a source.
	 */
	static final class Settings {

		static final int UNKNOWN = -1;

		private final ConnectionFailures failures = new ConnectionFailures();

		private volatile @Nullable Boolean otherIsolation;

		private volatile Dialect dialect = Dialect.H2;

		private volatile boolean networkTimeouts = true;

		private volatile boolean told;

		/**
		 * Looks at how the source sets its connections. Asked once: some drivers need a
		 * round trip for the isolation.
		 */
		void learn(Connection connection, Dialect dialect) throws SQLException {
			this.dialect = dialect;
			this.otherIsolation = connection.getTransactionIsolation() != Connection.TRANSACTION_READ_COMMITTED;
		}

		ConnectionFailures failures() {
			return this.failures;
		}

		boolean isolationToSet() {
			return Boolean.TRUE.equals(this.otherIsolation);
		}

		/**
		 * MySQL and MariaDB can set the isolation for the next transaction only, with
		 * nothing to restore; their default would lock the gaps between rows too.
		 */
		boolean isMySql() {
			return this.dialect.isMySql();
		}

		/**
		 * What is left until a deadline, in whole seconds, which is what databases take.
		 */
		static int seconds(long deadline) {
			long left = (deadline - System.nanoTime()) / 1_000_000;
			return (int) Math.max(1, (left + 999) / 1000);
		}

		/**
		 * Sees to it that a dead connection does not hold up a thread for long. The
		 * database's own limits end first, since their end leaves the connection whole.
		 * @return the limit that it had, or unknown
		 */
		int limit(Connection connection, long deadline) {
			if (!this.networkTimeouts) {
				return UNKNOWN;
			}
			long left = (this.dialect == Dialect.POSTGRESQL) ? Math.max(1, (deadline - System.nanoTime()) / 1_000_000)
					: seconds(deadline) * 1000L;
			try {
				int before = connection.getNetworkTimeout();
				connection.setNetworkTimeout(Runnable::run, (int) left + SLACK_MILLIS);
				return before;
			}
			catch (SQLFeatureNotSupportedException | UnsupportedOperationException | AbstractMethodError ex) {
				this.networkTimeouts = false;
				tell(ex);
			}
			catch (SQLException ex) {
				// It may pass. If the connection is broken, that shows when it is used.
				tell(ex);
			}
			return UNKNOWN;
		}

		private void tell(Throwable reason) {
			if (!this.told) {
				this.told = true;
				logger.info("A connection to the database takes no network timeout; if it dies, it may occupy a thread"
						+ " of the lock store for longer", reason);
			}
		}

	}

}
