package io.distributedlock.store.jdbc;

import java.sql.SQLException;
import java.sql.SQLRecoverableException;
import java.sql.SQLTimeoutException;
import java.sql.SQLTransientConnectionException;
import java.util.Set;

import org.jspecify.annotations.Nullable;

import io.distributedlock.spi.StoreException;
import io.distributedlock.store.jdbc.Session.Phase;

/**
 * What can go wrong in a database or on the way there, what it means for a command, and
 * what to tell the person who has to repair it.
 */
enum JdbcErrors {

	/** Two transactions got in each other's way; the next try may pass. */
	CONFLICT(true,
			"Transactions on the lock tables kept getting in each other's way."
					+ " Does something else write to them, or hold rows of them locked?"),

	/** A row was not to be had. */
	BUSY(true, "A row of the lock tables was locked by another transaction for too long. Find it (in PostgreSQL"
			+ " with pg_blocking_pids, in MySQL with sys.innodb_lock_waits); the lock tables must not be touched in"
			+ " long transactions."),

	/** The tables are not there. */
	NO_TABLE(false, "A lock table does not exist in this database; the driver says which. Run the script %s of"
			+ " lock-store-jdbc (in the package io/distributedlock/store/jdbc), which makes those that are missing,"
			+ " also after an upgrade, set distributed-lock.jdbc.initialize-schema=always, or set the right name as"
			+ " distributed-lock.jdbc.table."),

	/** A right is missing. */
	DENIED(false,
			"The database user may not do what locks need. Grant SELECT, INSERT, UPDATE and DELETE on all"
					+ " three lock tables, and look at user name and password."),

	/** The database takes no writes. */
	READ_ONLY(true,
			"The database takes no writes; is it a standby? After a failover this passes. If not, point the"
					+ " DataSource at the primary."),

	/** There was no connection to be had. */
	NO_CONNECTION(true,
			"There is no connection to the database at the moment. Is it running, and is the pool large" + " enough?"),

	/** The connection broke. */
	CONNECTION(true, "The connection to the database was lost while the command was under way."),

	/** Anything else. */
	OTHER(false, "The database could not do what the lock store asked for.");

	private static final Set<String> CONFLICT_STATES = Set.of("40001", "40P01", "40000", "23505", "23000", "90131");

	private static final Set<Integer> CONFLICT_CODES = Set.of(1213, 1062, 2627, 2601, 60, 8177);

	private static final Set<String> BUSY_STATES = Set.of("55P03", "57014", "HYT00", "70100");

	private static final Set<Integer> BUSY_CODES = Set.of(1205, 1222, 54, 30006, 50200, 57014, 1969, 3024, 1317);

	private static final Set<String> NO_TABLE_STATES = Set.of("42P01", "42S02", "42S03", "42S04");

	private static final Set<String> READ_ONLY_STATES = Set.of("25006", "90097");

	private static final Set<Integer> READ_ONLY_CODES = Set.of(1290, 1792, 1836, 1874, 3906);

	private final boolean retryable;

	private final String advice;

	JdbcErrors(boolean retryable, String advice) {
		this.retryable = retryable;
		this.advice = advice;
	}

	/**
	 * Finds out what an error of a driver means.
	 */
	static JdbcErrors of(Throwable error, Phase phase) {
		for (Throwable cause = error; cause != null; cause = cause.getCause()) {
			if (cause instanceof SQLException sql) {
				JdbcErrors known = of(sql);
				if (known == null && sql.getNextException() != null) {
					known = of(sql.getNextException());
				}
				if (known != null) {
					return (known == CONNECTION && phase == Phase.OPENING) ? NO_CONNECTION : known;
				}
			}
			if (cause instanceof java.io.IOException) {
				return (phase == Phase.OPENING) ? NO_CONNECTION : CONNECTION;
			}
		}
		return (phase == Phase.OPENING && error instanceof SQLException) ? NO_CONNECTION : OTHER;
	}

	private static @Nullable JdbcErrors of(SQLException error) {
		String state = (error.getSQLState() != null) ? error.getSQLState() : "";
		int code = error.getErrorCode();
		boolean vendorCodes = !state.startsWith("08") && code > 0;
		if (BUSY_STATES.contains(state) || (vendorCodes && isBusy(state, code))) {
			return BUSY;
		}
		if (CONFLICT_STATES.contains(state) || (vendorCodes && CONFLICT_CODES.contains(code))) {
			return CONFLICT;
		}
		if (NO_TABLE_STATES.contains(state) || (vendorCodes && (code == 942 || code == 208))) {
			return NO_TABLE;
		}
		if (READ_ONLY_STATES.contains(state) || (vendorCodes && READ_ONLY_CODES.contains(code))) {
			return READ_ONLY;
		}
		if (state.equals("42501") || state.startsWith("28")
				|| (vendorCodes && (code == 1142 || code == 1044 || code == 1031 || code == 1017 || code == 229))) {
			return DENIED;
		}
		// 57: the administrator ends connections; 53: there are too many.
		if (state.startsWith("08") || state.startsWith("57P") || state.startsWith("53")
				|| error instanceof SQLRecoverableException || error instanceof SQLTransientConnectionException) {
			return CONNECTION;
		}
		return (error instanceof SQLTimeoutException) ? BUSY : null;
	}

	/**
	 * SQL Server calls a deadlock 1205, which is a lock wait in MySQL.
	 */
	private static boolean isBusy(String state, int code) {
		return BUSY_CODES.contains(code) && !(code == 1205 && state.equals("40001"));
	}

	/** Whether the same statements may pass a moment later. */
	boolean isTransient() {
		return this == CONFLICT;
	}

	/** Whether the database answered, so that it has not done what was asked. */
	boolean isAnswer() {
		return this == CONFLICT || this == BUSY || this == NO_TABLE || this == DENIED || this == READ_ONLY;
	}

	/**
	 * Tells whether the database may have done what was asked. Before it was told to
	 * commit it has not, whatever happened: it undoes what a lost connection left.
	 */
	boolean mayHaveExecuted(Phase phase) {
		return phase == Phase.DONE || (phase == Phase.COMMITTING && !isAnswer());
	}

	/**
	 * Makes the exception for an operation.
	 */
	StoreException exception(Throwable error, Phase phase, String address, Dialect dialect) {
		String message = this.advice.contains("%s") ? String.format(this.advice, dialect.script()) : this.advice;
		return new StoreException(message + " [database " + address + "; driver: " + firstLine(error) + "]",
				mayHaveExecuted(phase), this.retryable, error);
	}

	/**
	 * Makes the exception for an operation without an answer.
	 * @param noConnection why there was no connection lately, null if there was one
	 */
	static StoreException timedOut(String address, boolean sent, @Nullable Throwable noConnection) {
		return new StoreException((sent ? "The database did not answer in time."
				: "The command waited too long for a connection or for its turn behind others, and has done nothing.")
				+ " Is the database down, slow or paused, the pool empty, or a row of the lock tables locked by a long"
				+ " transaction? [database " + address
				+ ((noConnection != null) ? "; last failure to connect: " + reasons(noConnection) : "") + "]", sent,
				true, noConnection);
	}

	/**
	 * What the pool says, and the driver below it.
	 */
	private static String reasons(Throwable error) {
		Throwable root = error;
		while (root.getCause() != null) {
			root = root.getCause();
		}
		return (root == error) ? firstLine(error) : firstLine(error) + ": " + firstLine(root);
	}

	private static String firstLine(Throwable error) {
		String message = (error.getMessage() != null) ? error.getMessage() : error.toString();
		return message.lines().findFirst().orElse("");
	}

	/**
	 * Makes an address that can be shown: without parameters and credentials, which may
	 * be in either place.
	 */
	static String address(@Nullable String url) {
		if (url == null || url.isBlank()) {
			return "(unknown)";
		}
		String plain = url.split("[?;]", 2)[0];
		return plain.replaceAll("//[^/@]*@", "//").replaceAll("(thin:)[^@]*@", "$1@");
	}

}
