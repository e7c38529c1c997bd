package io.distributedlock.store.jdbc;

import java.sql.Connection;
import java.sql.DatabaseMetaData;
import java.sql.SQLException;

import javax.sql.DataSource;

import io.distributedlock.store.jdbc.Session.Phase;

/**
 * A database as it shows itself at first sight.
 */
record Database(Dialect dialect, String address, Session.Settings sessions, boolean joinsStatements) {

	static Database of(DataSource source) {
		Connection connection;
		try {
			connection = source.getConnection();
		}
		catch (SQLException ex) {
			throw JdbcErrors.of(ex, Phase.OPENING)
				.exception(ex, Phase.OPENING, "of the DataSource " + source.getClass().getName(), Dialect.H2);
		}
		try (connection) {
			DatabaseMetaData meta = connection.getMetaData();
			Session.Settings sessions = new Session.Settings();
			Dialect dialect = Dialect.of(meta.getDatabaseProductName());
			sessions.learn(connection, dialect);
			return new Database(dialect, JdbcErrors.address(meta.getURL()), sessions,
					dialect == Dialect.POSTGRESQL && PostgresDriver.joinsStatements(connection));
		}
		catch (SQLException ex) {
			throw JdbcErrors.of(ex, Phase.WORKING).exception(ex, Phase.WORKING, "of the DataSource", Dialect.H2);
		}
	}

}
