package io.distributedlock.store.jdbc;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Reads and writes the tables, in plain statements that all databases understand.
 */
final class LockTables {

	private static final String COLUMNS = "lock_key, lock_state, attempt, instance, first_token, last_token, expires_at,"
			+ " waited";

	/** Becomes no lock's key: keys are percent-encoded. */
	private static final String MAILBOX = "!";

	private final Dialect dialect;

	private final TableNames names;

	private final String insertRow;

	private final String updateRow;

	private final ClaimTables claims;

	LockTables(Dialect dialect, TableNames names) {
		this.dialect = dialect;
		this.names = names;
		// A duplicate is an error everywhere, but for PostgreSQL, where that would be
		// noise
		// in the log. There the count tells. It is not written with VALUES, which the
		// driver
		// may join into one statement (reWriteBatchedInserts) without a count for each
		// row.
		this.insertRow = "INSERT INTO " + names.locks() + " (" + COLUMNS + ") " + ((dialect == Dialect.POSTGRESQL)
				? "SELECT ?, ?, ?, ?, ?, ?, ?, ? ON CONFLICT DO NOTHING" : "VALUES (?, ?, ?, ?, ?, ?, ?, ?)");
		this.updateRow = "UPDATE " + names.locks() + " SET lock_state = ?, attempt = ?, instance = ?, first_token = ?,"
				+ " last_token = ?, expires_at = ?, waited = ? WHERE lock_key = ?"
				+ " AND last_token = ? AND expires_at = ?";
		this.claims = new ClaimTables(names);
	}

	Dialect dialect() {
		return this.dialect;
	}

	ClaimTables claims() {
		return this.claims;
	}

	TableNames names() {
		return this.names;
	}

	/**
	 * Reads the clock.
	 */
	long now(Connection connection) throws SQLException {
		return moment(connection).now();
	}

	/**
	 * Reads the clock, and what the server says of itself.
	 */
	Moment moment(Connection connection) throws SQLException {
		try (PreparedStatement statement = connection.prepareStatement(this.dialect.clock());
				ResultSet result = statement.executeQuery()) {
			result.next();
			return new Moment(this.dialect.readClock(result), this.dialect.isReadOnly(result));
		}
	}

	/**
	 * Writes without changing anything, which fails if the server or the user may not
	 * write.
	 */
	void proveWritable(Connection connection, String key) throws SQLException {
		try (PreparedStatement statement = connection
			.prepareStatement("UPDATE " + this.names.locks() + " SET waited = waited WHERE lock_key = ?")) {
			statement.setString(1, key);
			statement.executeUpdate();
		}
	}

	/**
	 * Locks rows, in the order of their keys, and reads them.
	 * @param keys sorted
	 * @param skip whether to leave out those that somebody else has locked
	 * @return the rows that are there
	 */
	Map<String, LockRow> rows(Connection connection, List<String> keys, boolean skip, int timeoutSeconds)
			throws SQLException {
		String sql = "SELECT " + COLUMNS + " FROM " + this.names.locks() + " " + this.dialect.lockHint(skip)
				+ " WHERE lock_key IN " + placeholders(keys) + " ORDER BY lock_key " + this.dialect.lockClause(skip);
		Map<String, LockRow> rows = new LinkedHashMap<>();
		try (PreparedStatement statement = connection.prepareStatement(sql)) {
			if (timeoutSeconds > 0) {
				statement.setQueryTimeout(timeoutSeconds);
			}
			bind(statement, keys);
			try (ResultSet result = statement.executeQuery()) {
				while (result.next()) {
					LockRow row = row(result);
					rows.put(row.key(), row);
				}
			}
		}
		return rows;
	}

	/**
	 * Finds out which rows are there, locked or not.
	 */
	Set<String> stored(Connection connection, List<String> keys) throws SQLException {
		String sql = "SELECT lock_key FROM " + this.names.locks() + " " + this.dialect.lookHint()
				+ " WHERE lock_key IN " + placeholders(keys);
		Set<String> stored = new HashSet<>();
		try (PreparedStatement statement = connection.prepareStatement(sql)) {
			bind(statement, keys);
			try (ResultSet result = statement.executeQuery()) {
				while (result.next()) {
					stored.add(result.getString(1));
				}
			}
		}
		return stored;
	}

	static LockRow row(ResultSet result) throws SQLException {
		return new LockRow(result.getString(1), result.getString(2), result.getString(3), result.getString(4),
				result.getLong(5), result.getLong(6), result.getLong(7), result.getInt(8));
	}

	/**
	 * Writes what changed.
	 * @throws ConflictException if somebody else made or changed one of the rows first
	 */
	void write(Connection connection, List<LockRow> rows) throws SQLException {
		write(connection, this.insertRow,
				rows.stream().filter((row) -> row.isChanged() && !row.read().stored()).toList(), true);
		write(connection, this.updateRow,
				rows.stream().filter((row) -> row.isChanged() && row.read().stored()).toList(), false);
		this.claims.write(connection, rows);
	}

	private void write(Connection connection, String sql, List<LockRow> rows, boolean insert) throws SQLException {
		if (rows.isEmpty()) {
			return;
		}
		try (PreparedStatement statement = connection.prepareStatement(sql)) {
			for (LockRow row : rows) {
				int at = 1;
				if (insert) {
					statement.setString(at++, row.key());
				}
				statement.setString(at++, row.state());
				statement.setString(at++, row.attempt());
				statement.setString(at++, row.instance());
				statement.setLong(at++, row.firstToken());
				statement.setLong(at++, row.lastToken());
				statement.setLong(at++, row.expiresAt());
				statement.setInt(at++, row.waited());
				if (!insert) {
					statement.setString(at++, row.key());
					statement.setLong(at++, row.read().lastToken());
					statement.setLong(at, row.read().expiresAt());
				}
				statement.addBatch();
			}
			requireOneEach(statement.executeBatch(), !insert || this.dialect != Dialect.POSTGRESQL);
		}
	}

	private static void requireOneEach(int[] counts, boolean uncounted) throws ConflictException {
		for (int count : counts) {
			if (count != 1 && !(uncounted && count == Statement.SUCCESS_NO_INFO)) {
				throw new ConflictException();
			}
		}
	}

	static int[] batch(Connection connection, String sql, List<Object[]> all) throws SQLException {
		if (all.isEmpty()) {
			return new int[0];
		}
		try (PreparedStatement statement = connection.prepareStatement(sql)) {
			for (Object[] values : all) {
				for (int i = 0; i < values.length; i++) {
					if (values[i] instanceof Long number) {
						statement.setLong(i + 1, number);
					}
					else {
						statement.setString(i + 1, (String) values[i]);
					}
				}
				statement.addBatch();
			}
			return statement.executeBatch();
		}
	}

	/**
	 * Leaves word for instances that poll: that a grant was ended by force. A reservation
	 * they see for themselves.
	 */
	void leaveWord(Connection connection, List<Signal> revoked, long now, long life) throws SQLException {
		List<Object[]> words = new ArrayList<>();
		for (Signal signal : revoked) {
			words
				.add(new Object[] { signal.attempt(), now, now + life, MAILBOX + signal.instance(), signal.attempt() });
		}
		batch(connection, this.claims.insertWaiter(), words);
	}

	/**
	 * Reads what was left for an instance.
	 * @return attempts whose grants were ended by force
	 */
	List<String> readWord(Connection connection, String instance) throws SQLException {
		String sql = "SELECT attempt FROM " + this.names.waiters() + " WHERE lock_key = ?";
		List<String> attempts = new ArrayList<>();
		try (PreparedStatement statement = connection.prepareStatement(sql)) {
			statement.setString(1, MAILBOX + instance);
			try (ResultSet result = statement.executeQuery()) {
				while (result.next()) {
					attempts.add(result.getString(1));
				}
			}
		}
		batch(connection, this.claims.deleteWaiter(),
				attempts.stream().map((attempt) -> new Object[] { MAILBOX + instance, attempt }).toList());
		return attempts;
	}

	/**
	 * Finds the reservations for an instance among keys, of the lock or of a share.
	 */
	Set<Reservation> reservations(Connection connection, String instance, List<String> keys) throws SQLException {
		String sql = "SELECT lock_key, attempt FROM " + this.names.locks() + " WHERE lock_key IN " + placeholders(keys)
				+ " AND lock_state = 'R' AND instance = ? UNION ALL SELECT lock_key, attempt FROM "
				+ this.names.claims() + " WHERE lock_key IN " + placeholders(keys)
				+ " AND claim_state = 'R' AND instance = ?";
		Set<Reservation> found = new HashSet<>();
		try (PreparedStatement statement = connection.prepareStatement(sql)) {
			int next = bind(statement, 1, keys);
			statement.setString(next, instance);
			next = bind(statement, next + 1, keys);
			statement.setString(next, instance);
			try (ResultSet result = statement.executeQuery()) {
				while (result.next()) {
					found.add(new Reservation(result.getString(1), result.getString(2)));
				}
			}
		}
		return found;
	}

	/** Rounded up to a power of two, so that there are few different statements. */
	static String placeholders(List<String> keys) {
		return "(" + "?, ".repeat(padded(keys.size()) - 1) + "?)";
	}

	private static int padded(int count) {
		return (count <= 1) ? 1 : Integer.highestOneBit(count - 1) << 1;
	}

	static void bind(PreparedStatement statement, List<String> keys) throws SQLException {
		bind(statement, 1, keys);
	}

	private static int bind(PreparedStatement statement, int first, List<String> keys) throws SQLException {
		int padded = padded(keys.size());
		for (int i = 0; i < padded; i++) {
			statement.setString(first + i, keys.get(Math.min(i, keys.size() - 1)));
		}
		return first + padded;
	}

	/**
	 * A lock, or a share of it, that is kept for an attempt.
	 *
	 * @param key which lock
	 * @param attempt for what
	 */
	record Reservation(String key, String attempt) {
	}

	/**
	 * What a server says when it is asked for the time.
	 *
	 * @param now its clock
	 * @param readOnly whether it may refuse to write
	 */
	record Moment(long now, boolean readOnly) {
	}

	/**
	 * Somebody else made or changed a row at the same time; to be tried again.
	 */
	static final class ConflictException extends SQLException {

		private static final long serialVersionUID = 1L;

		ConflictException() {
			super("Another transaction made or changed the same row first", "40001");
		}

	}

}
