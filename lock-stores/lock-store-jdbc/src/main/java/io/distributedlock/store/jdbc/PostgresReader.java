package io.distributedlock.store.jdbc;

import java.sql.Array;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Reads all in one round trip: the driver sends the statements together, and the database
 * runs them one after the other, each with a snapshot of its own, so that queues and
 * shares are read after the rows are locked. The limits are those of this transaction
 * only.
 */
final class PostgresReader implements LockTransaction.LockReader {

	/** The database ends more than the transaction: the whole connection. */
	private static final long SHORTEST_IDLE = 500;

	private final String sql;

	PostgresReader(LockTables tables) {
		String locks = tables.names().locks();
		this.sql = "SELECT set_config('statement_timeout', ?, true), set_config('lock_timeout', ?, true),"
				+ " set_config('idle_in_transaction_session_timeout', ?, true),"
				+ " set_config('enable_seqscan', 'off', true),"
				+ " set_config('synchronous_commit', CASE current_setting('synchronous_commit') WHEN 'off' THEN 'on'"
				+ " ELSE current_setting('synchronous_commit') END, true);"
				+ " SELECT lock_key, lock_state, attempt, instance, first_token, last_token, expires_at, waited FROM "
				+ locks + " WHERE lock_key = ANY (?) ORDER BY lock_key FOR UPDATE; " + tables.dialect().clock()
				+ "; SELECT w.lock_key, w.instance, w.attempt, w.since, w.expires_at FROM " + tables.names().waiters()
				+ " w WHERE w.lock_key = ANY (?) ORDER BY w.lock_key, w.since; "
				+ ClaimTables.claims(tables.names(), "= ANY (?)");
	}

	@Override
	public Reading read(Connection connection, List<String> keys, boolean wait, long timeoutMillis)
			throws SQLException {
		Map<String, LockRow> rows = new LinkedHashMap<>();
		Array array = connection.createArrayOf("varchar", keys.toArray());
		try (PreparedStatement statement = connection.prepareStatement(this.sql)) {
			statement.setString(1, timeoutMillis + "ms");
			statement.setString(2, lockTimeout(keys.size()) + "ms");
			statement.setString(3, Math.max(timeoutMillis, SHORTEST_IDLE) + "ms");
			statement.setArray(4, array);
			statement.setArray(5, array);
			statement.setArray(6, array);
			statement.execute();
			try (ResultSet locked = next(statement)) {
				while (locked.next()) {
					LockRow row = LockTables.row(locked);
					rows.put(row.key(), row);
				}
			}
			long now;
			try (ResultSet clock = next(statement)) {
				clock.next();
				now = clock.getLong(1);
			}
			try (ResultSet queues = next(statement)) {
				ClaimTables.addQueues(queues, rows);
			}
			try (ResultSet claims = next(statement)) {
				ClaimTables.addClaims(claims, rows);
			}
			rows.values().forEach(LockRow::claimsRead);
			return new Reading(rows, Set.of(), now, false, 0);
		}
	}

	/**
	 * Returns how many milliseconds a row may be waited for, 0 for no limit: not long if
	 * others wait too.
	 */
	static long lockTimeout(int operations) {
		return (operations > 1) ? 100 : 0;
	}

	static ResultSet next(PreparedStatement statement) throws SQLException {
		if (!statement.getMoreResults()) {
			throw new SQLException("The driver gave fewer results than there were statements");
		}
		return statement.getResultSet();
	}

}
