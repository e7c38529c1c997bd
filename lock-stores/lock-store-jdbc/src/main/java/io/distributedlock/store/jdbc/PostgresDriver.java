package io.distributedlock.store.jdbc;

import java.sql.Connection;
import java.sql.SQLException;

import org.postgresql.PGConnection;
import org.postgresql.jdbc.PreferQueryMode;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What is to be known of PostgreSQL's driver, which may not be there.
 */
final class PostgresDriver {

	private static final Logger logger = LoggerFactory.getLogger(PostgresDriver.class);

	private PostgresDriver() {
	}

	/**
	 * Tells whether the driver sends statements that go together as one transaction. It
	 * does not in its simple mode, and other drivers may not.
	 */
	static boolean joinsStatements(Connection connection) {
		try {
			return connection.unwrap(PGConnection.class).getPreferQueryMode() != PreferQueryMode.SIMPLE;
		}
		catch (SQLException | LinkageError ex) {
			logger.debug("Not the usual driver of PostgreSQL: every lock command has to look at its row", ex);
			return false;
		}
	}

}
