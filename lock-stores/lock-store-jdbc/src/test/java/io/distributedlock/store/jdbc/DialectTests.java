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
				tables.write(connection, List.of(row));
				connection.commit();
			}
			assertThat(tables.stored(connection, keys)).containsExactly("b");
			LockRow row = tables.rows(connection, keys, false, 0).get("b");
			assertThat(row.attempt()).isEqualTo("attempt-1000");
			assertThat(row.firstToken()).isEqualTo(1000);
			assertThat(row.wasWaited()).isTrue();
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
			assertThat(old.deleteOldRows(connection, keys, Long.MAX_VALUE)).isOne();
		}
	}

	private static String withoutWhatH2DoesNotKnow(String sql) {
		return sql.replaceAll("(?s)^BEGIN\\s+EXECUTE IMMEDIATE '(.*?)';.*", "$1")
			.replaceAll("^IF OBJECT_ID.* IS NULL\\s", "")
			.replace(" COLLATE Latin1_General_BIN2", "");
	}

}
