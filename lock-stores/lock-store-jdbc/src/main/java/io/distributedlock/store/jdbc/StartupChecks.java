package io.distributedlock.store.jdbc;

import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

import javax.sql.DataSource;

import io.distributedlock.LockKey;
import io.distributedlock.spi.AttemptId;
import io.distributedlock.spi.StoreException;
import io.distributedlock.store.jdbc.Claim.Kind;
import io.distributedlock.store.jdbc.Session.Phase;

/**
 * Tries what locks need, in a transaction that is undone: each kind of statement on all
 * tables. And looks for settings that would harm.
 */
final class StartupChecks {

	private static final long TOO_OLD_OR_NEW = 1_000_000L * 60 * 60 * 24 * 365 * 30;

	private final DataSource source;

	private final Session.Settings sessions;

	private final LockTables tables;

	private final String address;

	private final StoreSettings settings;

	StartupChecks(DataSource source, Session.Settings sessions, LockTables tables, String address,
			StoreSettings settings) {
		this.source = source;
		this.sessions = sessions;
		this.tables = tables;
		this.address = address;
		this.settings = settings;
	}

	List<String> run() {
		Session session = null;
		List<String> advice = new ArrayList<>();
		try {
			session = Session.open(this.source, this.sessions, false,
					System.nanoTime() + this.settings.commandTimeout().toNanos());
			tryTables(session);
			if (this.tables.dialect() == Dialect.POSTGRESQL) {
				checkDurability(session, advice);
			}
			session.rollback();
			return advice;
		}
		catch (SQLException | RuntimeException ex) {
			Phase phase = (session != null) ? session.phase() : Phase.OPENING;
			JdbcErrors kind = JdbcErrors.of(ex, phase);
			if (session != null) {
				session.rollback();
				if (kind == JdbcErrors.READ_ONLY) {
					session.broken();
				}
			}
			throw (ex instanceof StoreException known) ? known
					: kind.exception(ex, phase, this.address, this.tables.dialect());
		}
		finally {
			if (session != null) {
				session.close();
			}
		}
	}

	private void tryTables(Session session) throws SQLException {
		long now = this.tables.now(session.connection());
		if (now < TOO_OLD_OR_NEW || now > 6 * TOO_OLD_OR_NEW) {
			throw new StoreException("The clock of the database at " + this.address + " shows " + now
					+ " microseconds since 1970, which cannot be. Set it.", false, false, null);
		}
		String id = LockKey.of("distributed-lock-check", AttemptId.random().toString()).id();
		List<String> keys = List.of(id);
		LockRow row = this.tables.rows(session.connection(), keys, false, 0).getOrDefault(id, new LockRow(id));
		String caller = AttemptId.random().toString();
		write(session, row, now, caller);
		Map<String, LockRow> again = this.tables.rows(session.connection(), keys, true, 0);
		row = again.get(id);
		if (row == null) {
			throw new StoreException(
					"The table " + this.tables.names().locks() + " at " + this.address
							+ " does not give back what was written to it. Is there a trigger or a policy on it?",
					false, false, null);
		}
		this.tables.claims().readQueues(session.connection(), again, keys);
		this.tables.claims().readClaims(session.connection(), again, keys);
		write(session, row, now + 1, caller);
		new OldRows(this.tables.names()).deleteOldRows(session.connection(), keys, Long.MAX_VALUE);
		this.tables.claims().deleteWaiter(session.connection(), id, this.settings.instanceId());
		this.tables.claims().deleteClaim(session.connection(), id, caller);
	}

	private void write(Session session, LockRow row, long now, String caller) throws SQLException {
		row.begin(now, new Rules(this.settings.instanceId(), 1_000_000, 1_000_000, true));
		new Exclusive(row).acquire(AttemptId.random().toString(), this.settings.commandTimeout(), 1, true);
		row.enqueue(Kind.ALONE, AttemptId.random().toString(), 0);
		row.enqueue(Kind.FAIR, caller, 0);
		row.end();
		this.tables.write(session.connection(), List.of(row));
	}

	private void checkDurability(Session session, List<String> advice) throws SQLException {
		try (PreparedStatement statement = session.connection().prepareStatement("SELECT current_setting('fsync')");
				ResultSet result = statement.executeQuery()) {
			result.next();
			if (result.getString(1).equals("off")) {
				advice.add("PostgreSQL at " + this.address + " has fsync = off: after a crash of its host it may have"
						+ " forgotten locks that are held, and give them to others. Set fsync = on.");
			}
		}
	}

}
