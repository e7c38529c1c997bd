package io.distributedlock.store.jdbc;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

import io.distributedlock.store.jdbc.Operation.Lane;

/**
 * Acquires, releases, renewals and extensions of many locks, each kind in one statement
 * and one round trip, with the commit: the driver sends the statement and the limits that
 * go before it together, and all of it is one transaction of the database's own making.
 * No row stays locked while a client thinks, or is paused.
 * <ul>
 * <li><b>Order.</b> Every statement locks its rows in the order of their keys, so that
 * those of two JVMs cannot wait for each other.
 * <li><b>Conditions</b> are looked at once more when a row is locked, on its newest
 * version. So is the clock, which does not stand still: {@code CLOCK_TIMESTAMP()}.
 * <li><b>Not after.</b> An acquire carries the database time by which it has to have its
 * row. What comes later changes nothing: that is what an abandon relies on.
 * <li><b>Ttl.</b> It counts from the beginning of the statement, which is no earlier than
 * the sending and so no later than what the client counts on.
 * <li><b>Tokens.</b> The higher one of the row's last token plus one and the clock (rule
 * S1).
 * <li><b>Durability.</b> A grant, a renewal or an extension is on disk before it is
 * answered, also in a database that is set not to care. A release need not be: if the
 * database crashes right after, the lock is taken again until the end of its ttl, by
 * nobody; and whoever gets the lock next waits for the disk, which then has the release
 * too.
 * <li><b>Types.</b> Every parameter says its type, so no string is one (an array of
 * strings is). Otherwise, where the driver is told to leave types open
 * ({@code stringtype=unspecified}), it asks the database for them, and then no longer
 * sends the limits in one transaction with the statement.
 * <li><b>Plans.</b> Each connection plans a statement once, since planning takes a
 * quarter of the database's time. Neither a table that was tiny then nor one that is full
 * of dead rows makes the database read all of it.
 * </ul>
 */
final class PostgresFastPath implements FastPath {

	private static final String NOW = "(EXTRACT(EPOCH FROM CLOCK_TIMESTAMP()) * 1000000)::BIGINT";

	private static final String LIMITS = "SELECT set_config('statement_timeout', (?::BIGINT)::TEXT, true),"
			+ " set_config('lock_timeout', (?::BIGINT)::TEXT, true),"
			+ " set_config('enable_seqscan', 'off', true), set_config('enable_hashjoin', 'off', true),"
			+ " set_config('enable_mergejoin', 'off', true), set_config('plan_cache_mode', 'force_generic_plan', true),"
			+ " set_config('synchronous_commit', ";

	private static final String DURABLE = LIMITS + "CASE current_setting('synchronous_commit') WHEN 'off' THEN 'on'"
			+ " ELSE current_setting('synchronous_commit') END, true); ";

	private static final String SOON = LIMITS + "'off', true); ";

	private static final String INPUT = "unnest(?::VARCHAR[], ?::VARCHAR[], ?::BIGINT[], ?::BIGINT[])"
			+ " AS i (k, a, c, ttl)";

	private final ServerClock clock;

	private final String instance;

	private final Map<Lane, String> statements = new EnumMap<>(Lane.class);

	PostgresFastPath(TableNames names, ServerClock clock, String instance) {
		this.clock = clock;
		this.instance = instance;
		String expiry = "expires_at = " + NOW + " + g.ttl";
		this.statements.put(Lane.ACQUIRE, DURABLE + acquire(names.locks()));
		this.statements.put(Lane.RELEASE, SOON + update(names.locks(), " AND l.waited = 0",
				"lock_state = 'F', attempt = NULL, instance = NULL, first_token = 0, expires_at = " + NOW));
		this.statements.put(Lane.RENEW, DURABLE + update(names.locks(), "", expiry));
		this.statements.put(Lane.EXTEND, DURABLE + update(names.locks(), " AND l.waited = 0",
				"last_token = GREATEST(l.last_token + 1, " + NOW + ") + g.c - 1, " + expiry));
	}

	private static String acquire(String table) {
		String base = "GREATEST(l.last_token + 1, excluded.first_token)";
		return "WITH i AS MATERIALIZED (SELECT i.*, " + NOW + " AS t FROM " + INPUT + ")" + " INSERT INTO " + table
				+ " AS l (lock_key, lock_state, first_token, last_token, expires_at, waited, attempt, instance)"
				+ " SELECT i.k, 'H', i.t, i.t + i.c - 1, i.t + i.ttl, 0, i.a, x.instance"
				+ " FROM i, (SELECT ?::BIGINT AS until, (?::VARCHAR[])[1] AS instance) x WHERE i.t <= x.until"
				+ " ORDER BY i.k COLLATE \"C\""
				+ " ON CONFLICT (lock_key) DO UPDATE SET lock_state = 'H', attempt = excluded.attempt,"
				+ " instance = excluded.instance, first_token = " + base + ", last_token = " + base
				+ " + excluded.last_token - excluded.first_token, expires_at = excluded.expires_at"
				+ " WHERE l.waited = 0 AND l.expires_at <= " + NOW + " AND " + NOW + " <= ?"
				+ " RETURNING l.lock_key, l.first_token, " + NOW;
	}

	private static String update(String table, String condition, String set) {
		return "WITH g AS MATERIALIZED (SELECT l.lock_key, i.c, i.ttl FROM " + INPUT + " JOIN " + table
				+ " l ON l.lock_key = i.k WHERE l.attempt = i.a AND l.lock_state = 'H' AND l.expires_at > " + NOW
				+ condition + " ORDER BY l.lock_key FOR UPDATE OF l) UPDATE " + table + " l SET " + set
				+ " FROM g WHERE l.lock_key = g.lock_key RETURNING l.lock_key, l.last_token - g.c + 1, " + NOW;
	}

	@Override
	public List<Runnable> run(Session session, List<? extends QuickOperation<?>> operations, long deadline)
			throws SQLException {
		Lane lane = operations.get(0).lane();
		Map<String, QuickOperation<?>> byKey = new HashMap<>();
		operations.forEach((operation) -> byKey.put(operation.id(), operation));
		List<Runnable> answers = new ArrayList<>(operations.size());
		try (PreparedStatement statement = session.connection().prepareStatement(this.statements.get(lane))) {
			bind(statement, session.connection(), operations, deadline);
			long sent = System.nanoTime();
			// The statement is its own commit.
			session.committing();
			statement.execute();
			try (ResultSet result = PostgresReader.next(statement)) {
				long received = System.nanoTime();
				while (result.next()) {
					QuickOperation<?> operation = byKey.get(result.getString(1));
					long firstToken = result.getLong(2);
					answers.add(() -> operation.answeredDone(firstToken));
					this.clock.observe(result.getLong(3), sent, received);
				}
			}
			session.done();
		}
		return answers;
	}

	private void bind(PreparedStatement statement, Connection connection, List<? extends QuickOperation<?>> operations,
			long deadline) throws SQLException {
		statement.setLong(1, Math.max(1, (deadline - System.nanoTime()) / 1_000_000));
		statement.setLong(2, PostgresReader.lockTimeout(operations.size()));
		statement.setArray(3, connection.createArrayOf("varchar", operations.stream().map(Operation::id).toArray()));
		statement.setArray(4, connection.createArrayOf("varchar",
				operations.stream().map((operation) -> operation.attempt().toString()).toArray()));
		statement.setArray(5, connection.createArrayOf("int8",
				operations.stream().map((operation) -> (long) operation.tokens()).toArray()));
		statement.setArray(6,
				connection.createArrayOf("int8", operations.stream().map(QuickOperation::ttlMicros).toArray()));
		if (operations.get(0).lane() == Lane.ACQUIRE) {
			// The earliest limit holds for all. Whom it refuses too early is looked at
			// once more.
			long limit = operations.stream()
				.mapToLong((operation) -> this.clock.at(operation.deadline()))
				.min()
				.orElse(0);
			statement.setLong(7, limit);
			statement.setArray(8, connection.createArrayOf("varchar", new Object[] { this.instance }));
			statement.setLong(9, limit);
		}
	}

}
