package io.distributedlock.boot.autoconfigure.jdbc;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;

import javax.sql.DataSource;

import io.distributedlock.Lease;
import io.distributedlock.LockInspector;
import io.distributedlock.LockRequest;
import io.distributedlock.LockTemplate;
import io.distributedlock.boot.autoconfigure.DistributedLockAspectAutoConfiguration;
import io.distributedlock.boot.autoconfigure.DistributedLockAutoConfiguration;
import io.distributedlock.boot.autoconfigure.memory.MemoryLockStoreAutoConfiguration;
import io.distributedlock.boot.autoconfigure.redis.RedisLockStoreAutoConfiguration;
import io.distributedlock.boot.autoconfigure.support.FailureAnalyses;
import io.distributedlock.spring.DistributedLock;
import io.distributedlock.store.jdbc.JdbcLockStore;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import org.springframework.aot.hint.RuntimeHints;
import org.springframework.aot.hint.predicate.RuntimeHintsPredicates;
import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.diagnostics.FailureAnalysis;
import org.springframework.boot.jdbc.autoconfigure.DataSourceAutoConfiguration;
import org.springframework.boot.jdbc.autoconfigure.JdbcTemplateAutoConfiguration;
import org.springframework.boot.test.context.FilteredClassLoader;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.core.NestedExceptionUtils;
import org.springframework.jdbc.datasource.DriverManagerDataSource;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * Tests for {@link JdbcLockStoreAutoConfiguration}, with a real H2.
 */
class JdbcLockStoreAutoConfigurationTests {

	private static final AtomicInteger number = new AtomicInteger();

	private final String url = url();

	private final ApplicationContextRunner bare = new ApplicationContextRunner()
		.withConfiguration(AutoConfigurations.of(DataSourceAutoConfiguration.class, JdbcTemplateAutoConfiguration.class,
				JdbcLockStoreAutoConfiguration.class, RedisLockStoreAutoConfiguration.class,
				MemoryLockStoreAutoConfiguration.class, DistributedLockAutoConfiguration.class,
				DistributedLockAspectAutoConfiguration.class));

	private final ApplicationContextRunner runner = this.bare.withPropertyValues("spring.datasource.url=" + this.url);

	// Keeps the database alive.
	private Connection connection;

	private static String url() {
		return "jdbc:h2:mem:boot" + number.incrementAndGet();
	}

	@BeforeEach
	void connect() throws SQLException {
		this.connection = DriverManager.getConnection(this.url, "sa", "");
	}

	@AfterEach
	void disconnect() throws SQLException {
		this.connection.close();
	}

	private int rows(String table) {
		try (Statement statement = this.connection.createStatement();
				ResultSet rows = statement.executeQuery("SELECT count(*) FROM " + table)) {
			rows.next();
			return rows.getInt(1);
		}
		catch (SQLException ex) {
			return -1;
		}
	}

	@Test
	void annotatedMethodHoldsItsLockInTheDatabase() {
		this.runner.withBean(Shop.class).run((context) -> {
			AtomicInteger held = new AtomicInteger();
			context.getBean(Shop.class).buy("42", () -> held.set(rows("distributed_lock")));
			assertThat(held).hasValue(1);
			assertThat(context.getBean(LockInspector.class).stores()).containsExactly("jdbc");
		});
	}

	@Test
	void tableIsNamedByProperty() {
		this.runner.withPropertyValues("distributed-lock.jdbc.table=acme_lock").run((context) -> {
			Lease lease = context.getBean(LockTemplate.class).acquire(LockRequest.of("stock", "1"));
			assertThat(rows("acme_lock")).isOne();
			assertThat(rows("distributed_lock")).isEqualTo(-1);
			lease.close();
		});
	}

	@Test
	void missingTableIsAnErrorThatNamesPropertyAndScript() {
		this.runner.withPropertyValues("distributed-lock.jdbc.initialize-schema=never").run((context) -> {
			FailureAnalysis analysis = FailureAnalyses.of(context.getStartupFailure());
			assertThat(analysis.getDescription()).containsIgnoringCase("distributed_lock");
			assertThat(analysis.getAction()).contains("distributed-lock.jdbc.initialize-schema=always")
				.contains("io/distributedlock/store/jdbc")
				.contains("distributed-lock.jdbc.enabled=false");
		});
	}

	@Test
	void tablesOfADatabaseThatIsNotEmbeddedAreMadeOnlyIfAskedFor() {
		ApplicationContextRunner file = this.bare
			.withPropertyValues("spring.datasource.url=jdbc:h2:file:./target/boot-h2-" + System.nanoTime());
		file.run((context) -> assertThat(FailureAnalyses.of(context.getStartupFailure()).getAction())
			.contains("initialize-schema=always"));
		file.withPropertyValues("distributed-lock.jdbc.initialize-schema=always")
			.run((context) -> assertThat(context).hasNotFailed().hasSingleBean(JdbcLockStore.class));
	}

	@Test
	void tablesThatTheUserMayNotMakeAreAnErrorThatSaysSo() throws SQLException {
		try (Statement statement = this.connection.createStatement()) {
			statement.execute("CREATE USER shop PASSWORD 'secret'");
		}
		this.runner
			.withPropertyValues("distributed-lock.jdbc.initialize-schema=always", "spring.datasource.username=shop",
					"spring.datasource.password=secret")
			.run((context) -> assertThat(FailureAnalyses.of(context.getStartupFailure()).getDescription())
				.contains("A lock table does not exist", "The script that makes the tables was run", "enough rights"));
	}

	@Test
	void tablesThatAreThereAlreadyAreKept() {
		for (int start = 0; start < 2; start++) {
			this.runner.withPropertyValues("distributed-lock.jdbc.initialize-schema=always")
				.run((context) -> assertThat(context).hasNotFailed());
		}
	}

	@Test
	void ownScriptIsUsedAndMayEndStatementsWithASlashAsForOracle(@TempDir Path temp) throws IOException {
		Path script = temp.resolve("own.sql");
		try (InputStream original = JdbcLockStore.class.getResourceAsStream("schema-h2.sql")) {
			String text = new String(original.readAllBytes(), StandardCharsets.UTF_8);
			Files.writeString(script, text.replace(");", ")\n/") + "CREATE TABLE mine (id INT COMMENT 'a;b')\n/\n");
		}
		this.runner
			.withPropertyValues("distributed-lock.jdbc.schema=" + script.toUri(),
					"distributed-lock.jdbc.table=by_script")
			.run((context) -> {
				assertThat(context).hasNotFailed();
				assertThat(rows("by_script")).isZero();
				assertThat(rows("mine")).isZero();
			});
	}

	@Test
	void unusableSettingsAreErrorsThatNameTheProperties() {
		this.runner.withPropertyValues("distributed-lock.jdbc.table=robert'); drop table students")
			.run((context) -> assertThat(
					NestedExceptionUtils.getMostSpecificCause(context.getStartupFailure()).getMessage())
				.contains("distributed-lock.jdbc.table is 'robert'"));
		for (String property : List.of("parallelism=0", "clean-up-after=1ms")) {
			this.runner
				.withPropertyValues("distributed-lock.jdbc." + property,
						"distributed-lock.jdbc.initialize-schema=never")
				.run((context) -> assertThat(FailureAnalyses.of(context.getStartupFailure()).getAction()).as(property)
					.contains("distributed-lock.jdbc."));
		}
	}

	@Test
	void beansThatNeedTheDatabaseWaitForTheTables() {
		this.runner
			.run((context) -> assertThat(context.getBeanFactory().getBeanDefinition("jdbcTemplate").getDependsOn())
				.contains("jdbcLockSchemaInitializer"));
		this.runner
			.run((context) -> assertThat(context.getBeanFactory().getBeanDefinition("jdbcLockStore").getDependsOn())
				.contains("jdbcLockSchemaInitializer"));
	}

	@Test
	void noRedisIsNeeded() {
		this.runner
			.withClassLoader(new FilteredClassLoader("org.springframework.data.redis", "io.lettuce", "redis.clients",
					"io.distributedlock.store.redis"))
			.run((context) -> assertThat(context.getBean(LockInspector.class).stores()).containsExactly("jdbc"));
	}

	@Test
	void storeIsAbsentWithoutItsModule() {
		this.runner.withClassLoader(new FilteredClassLoader(JdbcLockStore.class))
			.withPropertyValues("distributed-lock.enabled=false")
			.run((context) -> assertThat(context).doesNotHaveBean("jdbcLockStore")
				.doesNotHaveBean("jdbcLockSchemaInitializer"));
	}

	@Test
	void storeIsAbsentWithoutADataSource() {
		this.bare.withClassLoader(new FilteredClassLoader("org.h2", "com.zaxxer.hikari"))
			.withPropertyValues("distributed-lock.enabled=false")
			.run((context) -> assertThat(context).doesNotHaveBean("jdbcLockStore"));
	}

	@Test
	void storeCanBeSwitchedOff() {
		this.runner.withPropertyValues("distributed-lock.jdbc.enabled=false", "distributed-lock.enabled=false")
			.run((context) -> {
				assertThat(context).doesNotHaveBean("jdbcLockStore");
				assertThat(rows("distributed_lock")).isEqualTo(-1);
			});
	}

	@Test
	void memoryStoreInsteadNeedsNoTables() {
		this.runner.withPropertyValues("distributed-lock.store=memory").run((context) -> {
			assertThat(context.getBean(LockInspector.class).stores()).containsExactly("memory");
			assertThat(rows("distributed_lock")).isEqualTo(-1);
		});
	}

	@Test
	void storeBacksOff() {
		this.runner
			.withBean("mine", JdbcLockStore.class,
					() -> JdbcLockStore.builder(new DriverManagerDataSource(this.url, "sa", "")).name("mine").build())
			.run((context) -> assertThat(context.getBean(LockInspector.class).stores()).containsExactly("mine"));
	}

	@ParameterizedTest
	@ValueSource(strings = { "never", "embedded", "always" })
	void unreachableDatabaseIsAnErrorAtStartUp(String initializeSchema) {
		this.bare
			.withPropertyValues("spring.datasource.url=jdbc:h2:tcp://127.0.0.1:1/none",
					"distributed-lock.jdbc.initialize-schema=" + initializeSchema,
					"spring.datasource.hikari.connection-timeout=500")
			.run((context) -> assertThat(FailureAnalyses.of(context.getStartupFailure()).getAction())
				.contains("spring.datasource.url"));
	}

	@Test
	void markedDataSourceIsUsed() {
		this.bare.withBean("url", String.class, () -> this.url)
			.withUserConfiguration(Other.class, Marked.class)
			.run((context) -> {
				Lease lease = context.getBean(LockTemplate.class).acquire(LockRequest.of("stock", "1"));
				assertThat(rows("distributed_lock")).isOne();
				lease.close();
			});
	}

	@Test
	void severalDataSourcesWithoutChoiceAreAnError() {
		this.bare.withBean("url", String.class, () -> this.url)
			.withUserConfiguration(Other.class, Unmarked.class)
			.run((context) -> {
				FailureAnalysis analysis = FailureAnalyses.of(context.getStartupFailure());
				assertThat(analysis.getDescription()).contains("several DataSource beans");
				assertThat(analysis.getAction()).contains("@LockDataSource");
			});
	}

	@Test
	void scriptsAreInNativeImages() {
		RuntimeHints hints = new RuntimeHints();
		new JdbcLockStoreAutoConfiguration.Scripts().registerHints(hints, getClass().getClassLoader());
		for (String database : new String[] { "postgresql", "mysql", "mariadb", "h2", "oracle", "sqlserver" }) {
			String script = "io/distributedlock/store/jdbc/schema-" + database + ".sql";
			assertThat(getClass().getClassLoader().getResource(script)).as(script).isNotNull();
			assertThat(RuntimeHintsPredicates.resource().forResource(script)).accepts(hints);
		}
	}

	@Configuration(proxyBeanMethods = false)
	static class Other {

		@Bean
		DataSource first() {
			return new DriverManagerDataSource("jdbc:h2:mem:other");
		}

	}

	@Configuration(proxyBeanMethods = false)
	static class Marked {

		@Bean
		@LockDataSource
		DataSource second(String url) {
			return new DriverManagerDataSource(url, "sa", "");
		}

	}

	@Configuration(proxyBeanMethods = false)
	static class Unmarked {

		@Bean
		DataSource second(String url) {
			return new DriverManagerDataSource(url, "sa", "");
		}

	}

	static class Shop {

		@DistributedLock(name = "stock", key = "#productId")
		public void buy(String productId, Runnable work) {
			work.run();
		}

	}

}
