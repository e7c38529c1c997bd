package io.distributedlock.store.jdbc;

import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Operations on locks in one transaction, which can do everything:
 * <ol>
 * <li>lock the rows, in the order of their keys, so that two JVMs cannot wait for each
 * other;
 * <li>read the clock: after the wait for the rows, since a time from before it would be
 * stale;
 * <li>read the queues and shares of those locks that may have some; they are guarded by
 * the row locks;
 * <li>decide ({@link LockRow}), write what changed, commit, and only then answer.
 * </ol>
 * What must not happen late is looked at twice: before it is written, and before the
 * commit, which then undoes all and starts again without it. In between, or on its way,
 * the commit itself may still be delayed. That is harmless: the row is locked all the
 * while, and the abandon, which follows an acquire without an answer, waits for that lock
 * (also for the insert of a row that nobody sees yet, since it inserts the row itself).
 * And the ttl of the grant counts from the reading of the clock.
 * <p>
 * A row that somebody else has locked is waited for only by an operation that is alone.
 * Of several together those are left out whose rows are locked.
 * <p>
 * If the JVM stops in the middle, the locks of the rows last until the database notices.
 * PostgreSQL, MySQL and MariaDB are told to end the transaction by themselves.
 */
final class LockTransaction {

	private final LockTables tables;

	private final ServerClock clock;

	private final StoreSettings settings;

	private final Signals signals;

	private final LockReader reader;

	LockTransaction(LockTables tables, ServerClock clock, StoreSettings settings, Signals signals) {
		this.tables = tables;
		this.clock = clock;
		this.settings = settings;
		this.signals = signals;
		this.reader = (tables.dialect() == Dialect.POSTGRESQL) ? new PostgresReader(tables) : new PlainReader(tables);
	}

	/**
	 * Runs operations.
	 * @param session a connection without auto-commit
	 * @param operations sorted by key
	 * @param wait whether rows may be waited for; if not, operations whose rows are
	 * locked get no answer and are marked, to be tried alone
	 * @return what to tell the callers: to be run when the connection is given back
	 */
	List<Runnable> run(Session session, List<Operation<?>> operations, boolean wait, long deadline)
			throws SQLException {
		Connection connection = session.connection();
		List<String> keys = operations.stream().map(Operation::id).distinct().toList();
		long millis = Math.max(1, (deadline - System.nanoTime()) / 1_000_000);
		long sent = System.nanoTime();
		LockReader.Reading reading = this.reader.read(connection, keys, wait, millis);
		this.clock.observe(reading.now(), reading.sent(sent), System.nanoTime());
		Map<String, LockRow> rows = reading.rows();
		Rules rules = this.settings.rules(this.signals.areWanted());
		List<Runnable> answers = new ArrayList<>(operations.size());
		Map<String, LockRow> seen = new HashMap<>();
		Set<LockRow> touched = new LinkedHashSet<>();
		List<Operation<?>> urgent = new ArrayList<>();
		for (Operation<?> operation : operations) {
			if (operation.isDone() || (operation.isForbiddenLate() && operation.isLate())) {
				continue;
			}
			if (reading.locked().contains(operation.id())) {
				operation.markAlone();
				continue;
			}
			LockRow row = seen.computeIfAbsent(operation.id(), (id) -> {
				LockRow known = rows.computeIfAbsent(id, LockRow::new);
				known.begin(reading.now(), rules);
				return known;
			});
			answers.add(decide(operation, row));
			if (!operation.isReadOnly()) {
				touched.add(row);
				if (operation.isForbiddenLate()) {
					urgent.add(operation);
				}
			}
		}
		touched.forEach(LockRow::end);
		List<LockRow> changed = List.copyOf(touched);
		if (write(session, changed, reading.now())) {
			if (urgent.stream().anyMatch(Operation::isLate)) {
				throw new TooLateException();
			}
			session.commit();
		}
		else {
			if (reading.readOnly() && !changed.isEmpty()) {
				// Nothing was to be written, and the server may no longer be the primary.
				this.tables.proveWritable(connection, changed.get(0).key());
			}
			session.rollback();
			session.done();
		}
		return answers;
	}

	private static <R> Runnable decide(Operation<R> operation, LockRow row) {
		R answer = operation.run(row);
		return () -> operation.answered(answer);
	}

	/**
	 * Writes what changed.
	 * @return whether there is something to commit
	 */
	private boolean write(Session session, List<LockRow> changed, long now) throws SQLException {
		Connection connection = session.connection();
		boolean any = false;
		List<Signal> all = new ArrayList<>();
		for (LockRow row : changed) {
			any |= row.needsWrite();
			all.addAll(row.signals());
		}
		if (any) {
			this.tables.write(connection, changed);
			this.signals.send(connection, all, now);
		}
		return any;
	}

	/**
	 * The time of an operation ran out before the commit. All is undone; the others are
	 * tried again.
	 */
	static final class TooLateException extends SQLException {

		private static final long serialVersionUID = 1L;

		TooLateException() {
			super("Time ran out before the commit", "40001");
		}

	}

	/**
	 * Locks rows, then reads the clock, then the queues and shares.
	 */
	interface LockReader {

		Reading read(Connection connection, List<String> keys, boolean wait, long timeoutMillis) throws SQLException;

		/**
		 * What was read.
		 *
		 * @param rows by key; only those that are there
		 * @param locked keys of rows that somebody else has locked
		 * @param now the clock, read after the rows were locked
		 * @param readOnly whether the server may refuse to write
		 * @param clockSent when the clock was asked for, 0 if together with the rest
		 */
		record Reading(Map<String, LockRow> rows, Set<String> locked, long now, boolean readOnly, long clockSent) {

			long sent(long all) {
				return (this.clockSent != 0) ? this.clockSent : all;
			}

		}

	}

	/**
	 * One statement after the other.
	 */
	private record PlainReader(LockTables tables) implements LockReader {

		@Override
		public Reading read(Connection connection, List<String> keys, boolean wait, long timeoutMillis)
				throws SQLException {
			// H2 would keep the timeout for the connection.
			int seconds = (this.tables.dialect() == Dialect.H2) ? 0 : (int) Math.max(1, (timeoutMillis + 999) / 1000);
			Map<String, LockRow> rows = this.tables.rows(connection, keys, !wait, seconds);
			Set<String> locked = wait ? Set.of() : locked(connection, keys, rows);
			long sent = System.nanoTime();
			LockTables.Moment moment = this.tables.moment(connection);
			List<String> waited = rows.values()
				.stream()
				.filter((row) -> row.read().wasWaited())
				.map(LockRow::key)
				.toList();
			if (!waited.isEmpty()) {
				this.tables.claims().readQueues(connection, rows, waited);
			}
			List<String> claimed = rows.values()
				.stream()
				.filter((row) -> row.read().mayHaveClaims())
				.map(LockRow::key)
				.toList();
			if (!claimed.isEmpty()) {
				this.tables.claims().readClaims(connection, rows, claimed);
			}
			return new Reading(new LinkedHashMap<>(rows), locked, moment.now(), moment.readOnly(), sent);
		}

		private Set<String> locked(Connection connection, List<String> keys, Map<String, LockRow> rows)
				throws SQLException {
			List<String> missing = keys.stream().filter((key) -> !rows.containsKey(key)).toList();
			return missing.isEmpty() ? Set.of() : this.tables.stored(connection, missing);
		}

	}

}
