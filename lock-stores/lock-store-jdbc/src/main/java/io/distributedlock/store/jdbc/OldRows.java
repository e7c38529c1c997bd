package io.distributedlock.store.jdbc;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;

/**
 * Finds and removes rows that nobody uses any more. What is old is found without locking
 * it and removed by key: a statement that looks for what it removes would lock all that
 * it sees.
 */
final class OldRows {

	private final TableNames names;

	OldRows(TableNames names) {
		this.names = names;
	}

	/**
	 * Finds locks that have been free, and tokens that have been passed by the clock,
	 * since some time, and that have neither a queue nor shares: as long as the row is
	 * free, nobody gets into it.
	 */
	List<String> oldRows(Connection connection, long before, int limit) throws SQLException {
		String sql = "SELECT l.lock_key FROM " + this.names.locks()
				+ " l WHERE l.expires_at < ? AND l.last_token < ? AND NOT EXISTS (SELECT 1 FROM " + this.names.waiters()
				+ " w WHERE w.lock_key = l.lock_key) AND NOT EXISTS (SELECT 1 FROM " + this.names.claims()
				+ " c WHERE c.lock_key = l.lock_key)";
		List<String> keys = new ArrayList<>();
		try (PreparedStatement statement = connection.prepareStatement(sql)) {
			statement.setMaxRows(limit);
			statement.setLong(1, before);
			statement.setLong(2, before);
			try (ResultSet result = statement.executeQuery()) {
				while (result.next()) {
					keys.add(result.getString(1));
				}
			}
		}
		return keys;
	}

	/**
	 * Removes rows that are still old.
	 * @param keys sorted
	 */
	int deleteOldRows(Connection connection, List<String> keys, long before) throws SQLException {
		int deleted = 0;
		int[] counts = LockTables.batch(connection,
				"DELETE FROM " + this.names.locks() + " WHERE lock_key = ? AND expires_at < ? AND last_token < ?",
				keys.stream().map((key) -> new Object[] { key, before, before }).toList());
		for (int count : counts) {
			deleted += Math.max(0, count);
		}
		return deleted;
	}

	/**
	 * Removes entries of those that have not asked for a long time.
	 * @return how many were found
	 */
	int deleteOldWaiters(Connection connection, long before, int limit) throws SQLException {
		return deleteOld(connection, this.names.waiters(), "instance", before, limit);
	}

	/**
	 * Removes shares that ended a long time ago, and places like those of waiters.
	 * @return how many were found
	 */
	int deleteOldClaims(Connection connection, long before, int limit) throws SQLException {
		return deleteOld(connection, this.names.claims(), "attempt", before, limit);
	}

	private static int deleteOld(Connection connection, String table, String name, long before, int limit)
			throws SQLException {
		String sql = "SELECT lock_key, " + name + " FROM " + table + " WHERE expires_at < ?";
		List<Object[]> old = new ArrayList<>();
		try (PreparedStatement statement = connection.prepareStatement(sql)) {
			statement.setMaxRows(limit);
			statement.setLong(1, before);
			try (ResultSet result = statement.executeQuery()) {
				while (result.next()) {
					old.add(new Object[] { result.getString(1), result.getString(2), before });
				}
			}
		}
		LockTables.batch(connection,
				"DELETE FROM " + table + " WHERE lock_key = ? AND " + name + " = ? AND expires_at < ?", old);
		return old.size();
	}

}
