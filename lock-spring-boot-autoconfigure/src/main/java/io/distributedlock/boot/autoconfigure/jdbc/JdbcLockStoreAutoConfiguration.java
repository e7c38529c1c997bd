package io.distributedlock.boot.autoconfigure.jdbc;

import java.sql.SQLException;
import java.util.List;

import javax.sql.DataSource;

import io.distributedlock.boot.autoconfigure.ConditionalOnLockStore;
import io.distributedlock.boot.autoconfigure.DistributedLockAutoConfiguration;
import io.distributedlock.boot.autoconfigure.DistributedLockProperties;
import io.distributedlock.boot.autoconfigure.LockInstanceId;
import io.distributedlock.boot.autoconfigure.LockStoreHelp;
import io.distributedlock.boot.autoconfigure.LockStoreSetupException;
import io.distributedlock.spi.StoreException;
import io.distributedlock.store.jdbc.JdbcLockStore;
import org.jspecify.annotations.Nullable;

import org.springframework.aot.hint.RuntimeHints;
import org.springframework.aot.hint.RuntimeHintsRegistrar;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.boot.context.properties.EnableConfigurationProperties;
import org.springframework.boot.jdbc.init.DatabaseInitializationProperties;
import org.springframework.boot.sql.autoconfigure.init.OnDatabaseInitializationCondition;
import org.springframework.boot.sql.init.dependency.DependsOnDatabaseInitialization;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Conditional;
import org.springframework.context.annotation.ImportRuntimeHints;
import org.springframework.context.annotation.Lazy;

/**
 * Auto-configuration for locks in a database, that of the application's
 * {@link DataSource}. The tables are made as for Spring Boot's own features: for embedded
 * databases only, unless {@code distributed-lock.jdbc.initialize-schema} says otherwise.
 */
@AutoConfiguration(before = DistributedLockAutoConfiguration.class,
		afterName = "org.springframework.boot.jdbc.autoconfigure.DataSourceAutoConfiguration")
@ConditionalOnClass({ JdbcLockStore.class, DatabaseInitializationProperties.class,
		OnDatabaseInitializationCondition.class })
@ConditionalOnBean(DataSource.class)
@ConditionalOnLockStore("jdbc")
@EnableConfigurationProperties({ DistributedLockProperties.class, JdbcLockProperties.class })
@ImportRuntimeHints(JdbcLockStoreAutoConfiguration.Scripts.class)
public final class JdbcLockStoreAutoConfiguration {

	private static final LockStoreHelp HELP = new LockStoreHelp("jdbc", "JDBC",
			"Start the database, or correct its address, user or password (spring.datasource.url, .username, .password).",
			"If the tables are missing, set distributed-lock.jdbc.initialize-schema=always, for a user who may create"
					+ " tables (logging.level.org.springframework.jdbc.datasource.init=debug shows why one could not be"
					+ " made), or run the script schema-<database>.sql from the folder io/distributedlock/store/jdbc of"
					+ " lock-store-jdbc.jar, with @@table@@ replaced by the table's name (distributed-lock.jdbc.table).");

	private static final int RE_CHECKS_OF_QUEUE_ENTRY = 3;

	@Bean
	@ConditionalOnMissingBean
	@Conditional(OnLockSchemaInitializationCondition.class)
	JdbcLockSchemaInitializer jdbcLockSchemaInitializer(@LockDataSource ObjectProvider<DataSource> marked,
			ObjectProvider<DataSource> all, JdbcLockProperties properties) {
		DataSource dataSource = dataSource(marked, all);
		try {
			return new JdbcLockSchemaInitializer(dataSource, properties);
		}
		catch (IllegalStateException ex) {
			// It asks the database what it is.
			SQLException cause = sqlException(ex);
			if (cause != null) {
				throw new LockStoreSetupException(
						"The database cannot be asked for its kind, to make the tables of the locks: "
								+ cause.getMessage(),
						HELP.outOfReach() + " " + HELP.doWithout(), ex);
			}
			throw ex;
		}
	}

	// Lazy, so that an application that switches locks off needs no tables.
	@Bean
	@Lazy
	@ConditionalOnMissingBean
	@DependsOnDatabaseInitialization
	JdbcLockStore jdbcLockStore(@LockDataSource ObjectProvider<DataSource> marked, ObjectProvider<DataSource> all,
			JdbcLockProperties jdbc, DistributedLockProperties properties, LockInstanceId instanceId,
			ObjectProvider<JdbcLockSchemaInitializer> initializer) {
		DataSource dataSource = dataSource(marked, all);
		return HELP.start(() -> JdbcLockStore.builder(dataSource)
			.table(jdbc.getTable())
			.parallelism(jdbc.getParallelism())
			.cleanUpAfter(jdbc.getCleanUpAfter())
			.listen(jdbc.isListen())
			.instanceId(instanceId.value())
			.reservation(properties.reservation())
			.queueEntryTtl(properties.recheck().multipliedBy(RE_CHECKS_OF_QUEUE_ENTRY))
			.commandTimeout(properties.commandTimeout())
			.build(), (store) -> check(store, initializer.getIfAvailable()));
	}

	private static List<String> check(JdbcLockStore store, @Nullable JdbcLockSchemaInitializer initializer) {
		try {
			return store.check();
		}
		catch (StoreException ex) {
			String reason = (initializer != null && !ex.isRetryable()) ? initializer.whyNot() : null;
			if (reason == null) {
				throw ex;
			}
			throw new StoreException(
					ex.getMessage() + " The script that makes the tables was run, and the database says: " + reason,
					ex.mayHaveExecuted(), ex.isRetryable(), ex);
		}
	}

	private static @Nullable SQLException sqlException(Throwable failure) {
		Throwable cause = failure;
		while (cause != null && !(cause instanceof SQLException)) {
			cause = cause.getCause();
		}
		return (SQLException) cause;
	}

	private static DataSource dataSource(ObjectProvider<DataSource> marked, ObjectProvider<DataSource> all) {
		DataSource dataSource = marked.getIfAvailable(all::getIfUnique);
		if (dataSource == null) {
			throw new LockStoreSetupException(
					"There are several DataSource beans, and it is not said which database keeps the locks.",
					"Mark one with @LockDataSource or @Primary. " + HELP.doWithout());
		}
		return dataSource;
	}

	/**
	 * The schema scripts in the store's jar.
	 */
	static final class Scripts implements RuntimeHintsRegistrar {

		@Override
		public void registerHints(RuntimeHints hints, @Nullable ClassLoader classLoader) {
			hints.resources().registerPattern("io/distributedlock/store/jdbc/schema-*.sql");
		}

	}

}
