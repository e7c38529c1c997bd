package io.distributedlock.store.jdbc;

import java.lang.reflect.Proxy;
import java.sql.Connection;
import java.sql.DatabaseMetaData;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;

import javax.sql.DataSource;

import org.h2.jdbcx.JdbcDataSource;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

import io.distributedlock.LockKey;
import io.distributedlock.spi.AttemptId;
import io.distributedlock.spi.StoreException;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

/**
 * Settings that cannot work are refused with what to type instead.
 */
class SettingsTests {

	private final JdbcDataSource source = new JdbcDataSource();

	SettingsTests() {
		this.source.setURL("jdbc:h2:mem:settings" + System.nanoTime() + ";DB_CLOSE_DELAY=-1");
	}

	@ParameterizedTest
	@ValueSource(strings = { "lock; DROP TABLE users", "lock--", "\"lock\"", "", " ", "1lock", "a.b.c", "lock key",
			"lock'", "schema.", ".lock", "l\u00f6ck", "a_name_that_is_so_long_that_the_second_table_would_have_none" })
	void aTableNameThatIsMoreThanANameIsRefused(String name) {
		assertThatIllegalArgumentException().isThrownBy(() -> JdbcLockStore.builder(this.source).table(name))
			.withMessageContaining("'" + name + "'")
			.withMessageContaining("letters, digits and underscores");
		assertThatIllegalArgumentException().isThrownBy(() -> JdbcLockStore.schemaStatements(this.source, name));
	}

	@Test
	void aTableMayHaveASchemaInFront() {
		Databases.execute(this.source, "CREATE SCHEMA app");
		Databases.initialize(this.source, "app.my_locks");
		try (StoreFixture fixture = new StoreFixture(StoreFixture.builder(this.source).table("app.my_locks").build())) {
			assertThat(fixture.store.check()).isEmpty();
			fixture.acquire(LockKey.of("stock", 42), AttemptId.random());
		}
	}

	@ParameterizedTest
	@ValueSource(strings = { "", "a b", "a'b", "\u00e9" })
	void anInstanceIdThatIsNotPlainIsRefused(String id) {
		assertThatIllegalArgumentException().isThrownBy(() -> JdbcLockStore.builder(this.source).instanceId(id))
			.withMessageContaining("Use 1 to 128 letters");
	}

	@Test
	void durationsAndNumbersOutOfRangeAreRefused() {
		JdbcLockStore.Builder builder = JdbcLockStore.builder(this.source);
		Duration tooShort = Duration.ofMillis(9);
		assertThatIllegalArgumentException().isThrownBy(() -> builder.reservation(tooShort))
			.withMessage("The reservation of 9 ms is too short. Use at least 10 ms.");
		assertThatIllegalArgumentException().isThrownBy(() -> builder.queueEntryTtl(tooShort));
		assertThatIllegalArgumentException().isThrownBy(() -> builder.commandTimeout(tooShort));
		assertThatIllegalArgumentException().isThrownBy(() -> builder.cleanUpAfter(Duration.ofMillis(999)))
			.withMessageContaining("at least 1000 ms");
		assertThatIllegalArgumentException().isThrownBy(() -> builder.parallelism(0)).withMessageContaining("1 to 64");
		assertThatIllegalArgumentException().isThrownBy(() -> builder.parallelism(65));
	}

	@Test
	void missingTablesAreNamedTogetherWithTheScriptThatMakesThem() {
		try (StoreFixture fixture = StoreFixture.of(this.source)) {
			assertThatExceptionOfType(StoreException.class).isThrownBy(fixture.store::check)
				.withMessageContaining("schema-h2.sql")
				.withMessageContaining("distributed-lock.jdbc.initialize-schema=always")
				.matches((ex) -> !ex.mayHaveExecuted() && !ex.isRetryable());
			assertThatExceptionOfType(StoreException.class)
				.isThrownBy(() -> fixture.acquire(LockKey.of("stock", 42), AttemptId.random()))
				.withMessageContaining("schema-h2.sql")
				.matches((ex) -> !ex.mayHaveExecuted() && !ex.isRetryable());
		}
	}

	@Test
	void aTableThatAnOlderVersionDidNotHaveIsNamedAndTheScriptAddsIt() {
		Databases.initialize(this.source);
		Databases.execute(this.source, "DROP TABLE distributed_lock_claim");
		try (StoreFixture fixture = StoreFixture.of(this.source)) {
			assertThatExceptionOfType(StoreException.class).isThrownBy(fixture.store::check)
				.withMessageContaining("DISTRIBUTED_LOCK_CLAIM")
				.withMessageContaining("Run the script schema-h2.sql");
			Databases.initialize(this.source);
			assertThat(fixture.store.check()).isEmpty();
		}
	}

	@Test
	void aCheckLeavesNothingBehind() throws SQLException {
		Databases.initialize(this.source);
		try (StoreFixture fixture = StoreFixture.of(this.source)) {
			assertThat(fixture.store.check()).isEmpty();
		}
		try (Connection connection = this.source.getConnection()) {
			for (String table : List.of("distributed_lock", "distributed_lock_waiter", "distributed_lock_claim")) {
				assertThat(connection.createStatement().executeQuery("SELECT 1 FROM " + table).next()).isFalse();
			}
		}
	}

	@Test
	void aDatabaseThatNobodyKnowsIsRefused() {
		DataSource unknown = wrapping(this.source, "Sybase SQL Anywhere");
		assertThatIllegalArgumentException().isThrownBy(() -> JdbcLockStore.builder(unknown).build())
			.withMessageContaining("'Sybase SQL Anywhere'")
			.withMessageContaining("Use PostgreSQL, MySQL, MariaDB, H2, Oracle or SQL Server");
	}

	@Test
	void aDatabaseThatDoesNotAnswerIsAnOutage() {
		org.postgresql.ds.PGSimpleDataSource nobody = new org.postgresql.ds.PGSimpleDataSource();
		nobody.setUrl("jdbc:postgresql://127.0.0.1:1/none?user=joe&password=secret");
		assertThatExceptionOfType(StoreException.class).isThrownBy(() -> JdbcLockStore.builder(nobody).build())
			.matches((ex) -> ex.isRetryable() && !ex.mayHaveExecuted())
			.withMessageContaining("no connection to the database")
			.withMessageNotContaining("secret");
	}

	@ParameterizedTest
	@EnumSource(Dialect.class)
	void everyDialectHasAScriptForAllTables(Dialect dialect) {
		List<String> statements = dialect.schema(new TableNames("app.my_locks"));
		assertThat(statements).hasSize(3)
			.noneMatch((sql) -> sql.contains("@@"))
			.noneMatch((sql) -> sql.startsWith("--"));
		assertThat(statements.get(0)).contains("app.my_locks").doesNotContain("my_locks_waiter");
		assertThat(statements.get(1)).contains("app.my_locks_waiter");
		assertThat(statements.get(2)).contains("app.my_locks_claim");
		assertThat(statements).allMatch((sql) -> (dialect == Dialect.ORACLE) == sql.endsWith("END;"));
	}

	@Test
	void anAddressIsShownWithoutItsCredentials() {
		assertThat(JdbcErrors.address("jdbc:postgresql://db:5432/app?user=joe&password=secret"))
			.isEqualTo("jdbc:postgresql://db:5432/app");
		assertThat(JdbcErrors.address("jdbc:mysql://joe:secret@db:3306/app")).isEqualTo("jdbc:mysql://db:3306/app");
		assertThat(JdbcErrors.address("jdbc:sqlserver://db:1433;user=joe;password=secret"))
			.isEqualTo("jdbc:sqlserver://db:1433");
		assertThat(JdbcErrors.address("jdbc:oracle:thin:joe/secret@db:1521:app"))
			.isEqualTo("jdbc:oracle:thin:@db:1521:app");
		assertThat(JdbcErrors.address(null)).isEqualTo("(unknown)");
	}

	private static DataSource wrapping(DataSource source, String product) {
		ClassLoader loader = SettingsTests.class.getClassLoader();
		return (DataSource) Proxy.newProxyInstance(loader, new Class<?>[] { DataSource.class },
				(dataSource, method, arguments) -> {
					Connection connection = source.getConnection();
					return Proxy.newProxyInstance(loader, new Class<?>[] { Connection.class },
							(proxy, called, values) -> called.getName().equals("getMetaData")
									? metaData(loader, product) : called.invoke(connection, values));
				});
	}

	private static Object metaData(ClassLoader loader, String product) {
		return Proxy.newProxyInstance(loader, new Class<?>[] { DatabaseMetaData.class },
				(proxy, called, values) -> called.getName().equals("getURL") ? "jdbc:other:here" : product);
	}

}
