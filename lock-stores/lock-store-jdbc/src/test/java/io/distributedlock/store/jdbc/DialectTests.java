package io.distributedlock.store.jdbc;

import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.Map;

import org.h2.jdbcx.JdbcDataSource;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import io.distributedlock.spi.Share;
import io.distributedlock.store.jdbc.LockTables.Reservation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

/**
 * The databases that cannot be run here, as far as H2 understands their language.
 */
class DialectTests {

	private static final Rules RULES = new Rules("jvm-1", 1_000_000, 1_000_000, true);

	@ParameterizedTest
	@CsvSource({ "PostgreSQL, POSTGRESQL", "MySQL, MYSQL", "MariaDB, MARIADB", "H2, H2", "Oracle, ORACLE",
			"Microsoft SQL Server, SQLSERVER" })
	void aDatabaseIsKnownByTheNameThatItsDriverGives(String product, Dialect dialect) {
		assertThat(Dialect.of(product)).isEqualTo(dialect);
	}

	@Test
	void whatOnlySoundsLikeH2IsNot() {
		assertThatIllegalArgumentException().isThrownBy(() -> Dialect.of("H2O"));
	}

	@ParameterizedTest
	@CsvSource({ "ORACLE, Oracle", "SQLSERVER, MSSQLServer" })
	void theStatementsAreUnderstoodInTheCompatibilityModeOfH2(Dialect dialect, String mode) throws SQLException {
		JdbcDataSource source = new JdbcDataSource();
		source.setURL("jdbc:h2:mem:" + mode + ";MODE=" + mode);
		LockTables tables = new LockTables(dialect, new TableNames("locks"));
		try (Connection connection = source.getConnection()) {
			for (String sql : dialect.schema(tables.names())) {
				connection.createStatement().execute(withoutWhatH2DoesNotKnow(sql));
			}
			connection.setAutoCommit(false);
			List<String> keys = List.of("a", "b", "c");
			for (long now = 1000; now < 3000; now += 1000) {
				Map<String, LockRow> rows = tables.rows(connection, keys, now == 2000, 0);
				tables.claims().readQueues(connection, rows, keys);
				LockRow row = rows.getOrDefault("b", new LockRow("b"));
				row.begin(now, RULES);
				new Exclusive(row).acquire("attempt-" + now, Duration.ofSeconds(1), 1, true);
				row.end();
				LockRow shared = rows.getOrDefault("c", new LockRow("c"));
				if (shared.read().mayHaveClaims()) {
					tables.claims().readClaims(connection, rows, List.of("c"));
				}
				shared.begin(now, RULES);
				new Sharing(shared).acquire("reader", Share.READERS, Duration.ofSeconds(1), true);
				new Sharing(shared).acquire("permit-" + now, new Share.Permits(2), Duration.ofSeconds(1), true);
				shared.end();
				tables.write(connection, List.of(row, shared));
				connection.commit();
			}
			assertThat(tables.stored(connection, keys)).containsExactlyInAnyOrder("b", "c");
			assertClaims(connection, tables);
			LockRow row = tables.rows(connection, keys, false, 0).get("b");
			assertThat(row.attempt()).isEqualTo("attempt-1000");
			assertThat(row.firstToken()).isEqualTo(1000);
			assertThat(row.read().wasWaited()).isTrue();
			tables.claims().readQueues(connection, Map.of("b", row), keys);
			assertThat(row.line()).singleElement().extracting(Claim::attempt).isEqualTo("attempt-2000");
			row.begin(5000, RULES);
			new Exclusive(row).release("attempt-1000", Duration.ZERO);
			row.end();
			tables.write(connection, List.of(row));
			assertThat(tables.reservations(connection, "jvm-1", keys))
				.containsExactly(new Reservation("b", "attempt-2000"));
			OldRows old = new OldRows(tables.names());
			assertThat(old.deleteOldWaiters(connection, 0, 10)).isZero();
			assertThat(old.oldRows(connection, Long.MAX_VALUE, 10)).containsExactly("b");
			assertThat(old.deleteOldRows(connection, List.of("b"), Long.MAX_VALUE)).isOne();
			assertThat(old.deleteOldClaims(connection, Long.MAX_VALUE, 10)).isEqualTo(3);
			assertThat(old.oldRows(connection, Long.MAX_VALUE, 10)).containsExactly("c");
		}
	}

	private static void assertClaims(Connection connection, LockTables tables) throws SQLException {
		Map<String, LockRow> rows = tables.rows(connection, List.of("c"), false, 0);
		tables.claims().readClaims(connection, rows, List.of("c"));
		LockRow row = rows.get("c");
		row.begin(2500, RULES);
		assertThat(row.state()).isEqualTo(LockRow.SHARED);
		assertThat(row.expiresAt()).isEqualTo(1_002_000);
		assertThat(row.shares().all()).extracting(Claim::attempt).containsExactly("reader");
		assertThat(row.line()).extracting(Claim::attempt).containsExactly("permit-1000", "permit-2000");
	}

	private static String withoutWhatH2DoesNotKnow(String sql) {
		return sql.replaceAll("(?s)^BEGIN\\s+EXECUTE IMMEDIATE '(.*?)';.*", "$1")
			.replaceAll("^IF OBJECT_ID.* IS NULL\\s", "")
			.replace(" COLLATE Latin1_General_BIN2", "");
	}

}
