package io.distributedlock.store.jdbc;

import java.sql.SQLException;
import java.util.List;

/**
 * What a database can do for many locks in one statement, when nobody waits for them. It
 * only ever says yes; whoever it does not answer has to be looked at
 * ({@link LockTransaction}).
 */
interface FastPath {

	/**
	 * Tries operations of one lane.
	 * @param session a connection with auto-commit
	 * @param operations of different locks, sorted by key
	 * @param deadline when nobody waits for the answer any more
	 * @return what to tell the callers
	 */
	List<Runnable> run(Session session, List<? extends QuickOperation<?>> operations, long deadline)
			throws SQLException;

}
