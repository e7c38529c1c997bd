package io.distributedlock.store.jdbc;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

import io.distributedlock.store.jdbc.Claim.Kind;
import io.distributedlock.store.jdbc.Claim.State;

/**
 * Reads and writes the queues and shares of locks: the table of waiting JVMs, and the one
 * of all other claims.
 */
final class ClaimTables {

	private final TableNames names;

	private final String insertWaiter;

	private final String updateWaiter;

	private final String deleteWaiter;

	private final String insertClaim;

	private final String updateClaim;

	private final String deleteClaim;

	private final String deleteClaims;

	ClaimTables(TableNames names) {
		this.names = names;
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
		this.deleteClaims = "DELETE FROM " + names.claims() + " WHERE lock_key = ?";
		this.deleteClaim = this.deleteClaims + " AND attempt = ?";
	}

	String insertWaiter() {
		return this.insertWaiter;
	}

	String deleteWaiter() {
		return this.deleteWaiter;
	}

	/**
	 * Reads the queues of rows.
	 */
	void readQueues(Connection connection, Map<String, LockRow> rows, List<String> keys) throws SQLException {
		String sql = "SELECT lock_key, instance, attempt, since, expires_at FROM " + this.names.waiters()
				+ " WHERE lock_key IN " + LockTables.placeholders(keys) + " ORDER BY lock_key, since";
		try (PreparedStatement statement = connection.prepareStatement(sql)) {
			LockTables.bind(statement, keys);
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
		String sql = claims(this.names, "IN " + LockTables.placeholders(keys));
		try (PreparedStatement statement = connection.prepareStatement(sql)) {
			LockTables.bind(statement, keys);
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
	 */
	void write(Connection connection, List<LockRow> rows) throws SQLException {
		Batch waiters = new Batch();
		Batch claims = new Batch();
		Set<String> stale = new LinkedHashSet<>();
		for (LockRow row : rows) {
			ClaimChanges changes = row.claims();
			for (Claim claim : changes.removed()) {
				of(claim, waiters, claims).deletes.add(name(row, claim));
			}
			for (Claim claim : changes.added()) {
				Batch batch = of(claim, waiters, claims);
				if (batch == waiters && !row.read().wasWaited()) {
					// The queue was not read. Something may be left of it if somebody
					// deleted the lock's row.
					batch.deletes.add(name(row, claim));
				}
				if (batch == claims && !row.wereClaimsRead()) {
					// Nor were these, and shares that are left must not live again.
					stale.add(row.key());
				}
				batch.inserts.add(values(row, claim));
			}
			for (Claim claim : changes.updated()) {
				of(claim, waiters, claims).updates.add(values(row, claim));
			}
		}
		LockTables.batch(connection, this.deleteWaiter, waiters.deletes);
		LockTables.batch(connection, this.deleteClaims, stale.stream().map((key) -> new Object[] { key }).toList());
		LockTables.batch(connection, this.deleteClaim, claims.deletes);
		LockTables.batch(connection, this.insertWaiter, waiters.inserts);
		LockTables.batch(connection, this.insertClaim, claims.inserts);
		LockTables.batch(connection, this.updateWaiter, waiters.updates);
		LockTables.batch(connection, this.updateClaim, claims.updates);
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

	/**
	 * Removes the entry of an instance.
	 */
	void deleteWaiter(Connection connection, String key, String instance) throws SQLException {
		LockTables.batch(connection, this.deleteWaiter, List.<Object[]>of(new Object[] { key, instance }));
	}

	/**
	 * Removes a claim.
	 */
	void deleteClaim(Connection connection, String key, String attempt) throws SQLException {
		LockTables.batch(connection, this.deleteClaim, List.<Object[]>of(new Object[] { key, attempt }));
	}

	/**
	 * What is to be done in one table.
	 */
	private static final class Batch {

		final List<Object[]> deletes = new ArrayList<>();

		final List<Object[]> inserts = new ArrayList<>();

		final List<Object[]> updates = new ArrayList<>();

	}

}
