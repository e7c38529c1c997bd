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

import io.distributedlock.store.jdbc.Claim.Kind;
import io.distributedlock.store.jdbc.Claim.State;

/**
 * Reads and writes the three tables, in plain statements that all databases understand.
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

	private final String insertWaiter;

	private final String updateWaiter;

	private final String deleteWaiter;

	private final String insertClaim;

	private final String updateClaim;

	private final String deleteClaim;

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
		this.insertWaiter = "INSERT INTO " + names.waiters()
				+ " (attempt, since, expires_at, lock_key, instance) VALUES (?, ?, ?, ?, ?)";
		this.updateWaiter = "UPDATE " + names.waiters()
				+ " SET attempt = ?, since = ?, expires_at = ? WHERE lock_key = ? AND instance = ?";
		this.deleteWaiter = "DELETE FROM " + names.waiters() + " WHERE lock_key = ? AND instance = ?";
		this.insertClaim = "INSERT INTO " + names.claims()
				+ " (claim_kind, claim_state, instance, permits, token, since,"
				+ " expires_at, lock_key, attempt) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)";
		this.updateClaim = "UPDATE " + names.claims()
				+ " SET claim_kind = ?, claim_state = ?, instance = ?, permits = ?,"
				+ " token = ?, since = ?, expires_at = ? WHERE lock_key = ? AND attempt = ?";
		this.deleteClaim = "DELETE FROM " + names.claims() + " WHERE lock_key = ? AND attempt = ?";
	}

	Dialect dialect() {
		return this.dialect;
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
	 * Reads the queues of rows.
	 */
	void readQueues(Connection connection, Map<String, LockRow> rows, List<String> keys) throws SQLException {
		String sql = "SELECT lock_key, instance, attempt, since, expires_at FROM " + this.names.waiters()
				+ " WHERE lock_key IN " + placeholders(keys) + " ORDER BY lock_key, since";
		try (PreparedStatement statement = connection.prepareStatement(sql)) {
			bind(statement, keys);
			try (ResultSet result = statement.executeQuery()) {
				addQueues(result, rows);
			}
		}
	}

	static void addQueues(ResultSet result, Map<String, LockRow> rows) throws SQLException {
		while (result.next()) {
			LockRow row = rows.get(result.getString(1));
			if (row != null) {
				row.add(Claim.place(Kind.ALONE, result.getString(2), result.getString(3), 0, result.getLong(4),
						result.getLong(5)));
			}
		}
	}

	/**
	 * Reads the shares of rows, and the places of those that want one or strict order.
	 */
	void readClaims(Connection connection, Map<String, LockRow> rows, List<String> keys) throws SQLException {
		String sql = claims(this.names, "IN " + placeholders(keys));
		try (PreparedStatement statement = connection.prepareStatement(sql)) {
			bind(statement, keys);
			try (ResultSet result = statement.executeQuery()) {
				addClaims(result, rows);
			}
		}
		keys.forEach((key) -> rows.get(key).claimsRead());
	}

	/**
	 * Returns the query for claims.
	 * @param ofKeys what the key is compared with
	 */
	static String claims(TableNames names, String ofKeys) {
		return "SELECT c.lock_key, c.claim_kind, c.claim_state, c.instance, c.attempt, c.permits, c.token, c.since,"
				+ " c.expires_at FROM " + names.claims() + " c WHERE c.lock_key " + ofKeys
				+ " ORDER BY c.lock_key, c.since";
	}

	static void addClaims(ResultSet result, Map<String, LockRow> rows) throws SQLException {
		while (result.next()) {
			LockRow row = rows.get(result.getString(1));
			if (row != null) {
				row.add(new Claim(Kind.of(result.getString(2)), State.of(result.getString(3)), result.getString(4),
						result.getString(5), result.getInt(6), result.getLong(7), result.getLong(8),
						result.getLong(9)));
			}
		}
	}

	/**
	 * Writes what changed.
	 * @throws ConflictException if somebody else made or changed one of the rows first
	 */
	void write(Connection connection, List<LockRow> rows) throws SQLException {
		write(connection, this.insertRow, rows.stream().filter((row) -> row.isChanged() && !row.isStored()).toList(),
				true);
		write(connection, this.updateRow, rows.stream().filter((row) -> row.isChanged() && row.isStored()).toList(),
				false);
		writeClaims(connection, rows);
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
					statement.setLong(at++, row.readLastToken());
					statement.setLong(at, row.readExpiresAt());
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

	private void writeClaims(Connection connection, List<LockRow> rows) throws SQLException {
		Batch waiters = new Batch();
		Batch claims = new Batch();
		for (LockRow row : rows) {
			ClaimChanges changes = row.claims();
			for (Claim claim : changes.removed()) {
				of(claim, waiters, claims).deletes.add(name(row, claim));
			}
			for (Claim claim : changes.added()) {
				Batch batch = of(claim, waiters, claims);
				boolean read = (batch == waiters) ? row.wasWaited() : row.wereClaimsRead();
				if (!read) {
					// Something may be left of it if somebody deleted the lock's row.
					batch.deletes.add(name(row, claim));
				}
				batch.inserts.add(values(row, claim));
			}
			for (Claim claim : changes.updated()) {
				of(claim, waiters, claims).updates.add(values(row, claim));
			}
		}
		batch(connection, this.deleteWaiter, waiters.deletes);
		batch(connection, this.deleteClaim, claims.deletes);
		batch(connection, this.insertWaiter, waiters.inserts);
		batch(connection, this.insertClaim, claims.inserts);
		batch(connection, this.updateWaiter, waiters.updates);
		batch(connection, this.updateClaim, claims.updates);
	}

	private static Batch of(Claim claim, Batch waiters, Batch claims) {
		return (claim.kind() == Kind.ALONE) ? waiters : claims;
	}

	private static Object[] name(LockRow row, Claim claim) {
		return new Object[] { row.key(), (claim.kind() == Kind.ALONE) ? claim.instance() : claim.attempt() };
	}

	private static Object[] values(LockRow row, Claim claim) {
		return (claim.kind() == Kind.ALONE)
				? new Object[] { claim.attempt(), claim.since(), claim.expiresAt(), row.key(), claim.instance() }
				: new Object[] { claim.kind().code(), claim.state().code(), claim.instance(), (long) claim.permits(),
						claim.token(), claim.since(), claim.expiresAt(), row.key(), claim.attempt() };
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
		batch(connection, this.insertWaiter, words);
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
		batch(connection, this.deleteWaiter,
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

	/**
	 * Removes the entry of an instance.
	 */
	void deleteWaiter(Connection connection, String key, String instance) throws SQLException {
		batch(connection, this.deleteWaiter, List.<Object[]>of(new Object[] { key, instance }));
	}

	/**
	 * Removes a claim.
	 */
	void deleteClaim(Connection connection, String key, String attempt) throws SQLException {
		batch(connection, this.deleteClaim, List.<Object[]>of(new Object[] { key, attempt }));
	}

	/** Rounded up to a power of two, so that there are few different statements. */
	private static String placeholders(List<String> keys) {
		return "(" + "?, ".repeat(padded(keys.size()) - 1) + "?)";
	}

	private static int padded(int count) {
		return (count <= 1) ? 1 : Integer.highestOneBit(count - 1) << 1;
	}

	private static void bind(PreparedStatement statement, List<String> keys) throws SQLException {
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
	 * What is to be done in one table.
	 */
	private static final class Batch {

		final List<Object[]> deletes = new ArrayList<>();

		final List<Object[]> inserts = new ArrayList<>();

		final List<Object[]> updates = new ArrayList<>();

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
