package io.distributedlock.store.jdbc;

import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;

import org.h2.jdbcx.JdbcDataSource;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * How connections are given back.
 */
class SessionTests {

	private final JdbcDataSource source = new JdbcDataSource();

	SessionTests() {
		this.source.setURL("jdbc:h2:mem:session" + System.nanoTime() + ";DB_CLOSE_DELAY=-1");
	}

	@Test
	void aTransactionThatWasNotFinishedIsNotCommitted() throws SQLException {
		Databases.execute(this.source, "CREATE TABLE orders (id INT)");
		try (Connection connection = this.source.getConnection(); Statement statement = connection.createStatement()) {
			Session.Settings settings = new Session.Settings();
			settings.learn(connection, Dialect.H2);
			try (Session session = Session.open(this.source, settings, false, System.nanoTime() + 1_000_000_000);
					Statement insert = session.connection().createStatement()) {
				insert.execute("INSERT INTO orders VALUES (1)");
			}
			assertThat(statement.executeQuery("SELECT * FROM orders").next()).isFalse();
		}
	}

}
