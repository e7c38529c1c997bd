package io.distributedlock.benchmarks.server;

import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.Statement;

import io.distributedlock.benchmarks.peer.Database;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;

class PostgresServerTests {

	@Test
	void statementsCountButNotWhatTheServerIsAskedForMeasuring() throws Exception {
		try (PostgresServer server = PostgresServer.start();
				Connection client = DriverManager.getConnection(Database.url(server.address()), Database.NAME,
						Database.NAME);
				Statement statement = client.createStatement()) {
			Counters before = server.counters();
			for (int i = 0; i < 5; i++) {
				statement.execute("UPDATE shedlock SET locked_by = 'x'");
				server.ping();
			}

			assertThat(server.counters().since(before).commands()).isEqualTo(5);
			assertThat(server.version()).startsWith("PostgreSQL ");
		}
	}

}
