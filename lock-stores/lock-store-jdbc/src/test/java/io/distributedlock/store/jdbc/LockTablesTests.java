package io.distributedlock.store.jdbc;

import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.util.List;

import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

import io.distributedlock.store.jdbc.LockTables.ConflictException;
import io.distributedlock.store.jdbc.server.PostgresServer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

/**
 * Rows that two JVMs write at the same time.
 */
class LockTablesTests {

	private static final long NOW = 1_000_000;

	private static PostgresServer server;

	private final LockTables tables = new LockTables(Dialect.POSTGRESQL, new TableNames(TableNames.DEFAULT));

	@BeforeAll
	static void start() {
		server = PostgresServer.start();
		Databases.initialize(server.dataSource());
	}

	@AfterAll
	static void stop() {
		server.close();
	}

	@Test
	void aRowThatSomebodyElseMadeFirstIsAConflictAlsoAmongOthersInAJoinedInsert() throws SQLException {
		try (Connection connection = DriverManager.getConnection(PostgresServer.rewriting(server.url()), "postgres",
				"")) {
			this.tables.write(connection, List.of(made("stock:1")));
			assertThatExceptionOfType(ConflictException.class)
				.isThrownBy(() -> this.tables.write(connection, List.of(made("stock:1"), made("stock:2"))));
		}
	}

	@Test
	void aRowThatIsNotAsItWasReadIsAConflict() throws SQLException {
		try (Connection connection = DriverManager.getConnection(server.url(), "postgres", "")) {
			this.tables.write(connection, List.of(made("stock:3")));
			LockRow stale = new LockRow("stock:3", "H", "attempt", "instance", 1, 1, NOW - 1, 0);
			stale.begin(NOW, Rules.NONE);
			assertThatExceptionOfType(ConflictException.class)
				.isThrownBy(() -> this.tables.write(connection, List.of(stale)));
		}
	}

	@Test
	void aRowMadeByAnAbandonIsAsOldAsItIs() {
		assertThat(made("stock:4").expiresAt()).isEqualTo(NOW);
	}

	private LockRow made(String key) {
		LockRow row = new LockRow(key);
		row.begin(NOW, Rules.NONE);
		new Exclusive(row).abandon("attempt");
		return row;
	}

}
