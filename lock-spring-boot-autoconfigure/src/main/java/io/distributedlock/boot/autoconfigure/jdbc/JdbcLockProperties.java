package io.distributedlock.boot.autoconfigure.jdbc;

import java.time.Duration;

import org.jspecify.annotations.Nullable;

import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.jdbc.init.DatabaseInitializationProperties;

/**
 * Properties of the JDBC store.
 */
@ConfigurationProperties("distributed-lock.jdbc")
class JdbcLockProperties extends DatabaseInitializationProperties {

	private static final String DEFAULT_SCHEMA_LOCATION = "classpath:io/distributedlock/store/jdbc/"
			+ "schema-@@platform@@.sql";

	/**
	 * Whether there is a JDBC store when there is a DataSource. If not set, there is none
	 * with the store "memory".
	 */
	private @Nullable Boolean enabled;

	/**
	 * Name of the table with the locks, with its schema and a dot before it if need be.
	 * The table of those that wait has the same name with "_waiter" behind it, the one of
	 * shares and of callers in strict order with "_claim". Stands for "@@table@@" in the
	 * schema script.
	 */
	private String table = "distributed_lock";

	/**
	 * How many connections are used at once for commands. Commands that meet share a
	 * transaction, so a few are enough.
	 */
	private int parallelism = 4;

	/**
	 * How long the row of a lock that nobody uses stays in the table.
	 */
	private Duration cleanUpAfter = Duration.ofHours(1);

	/**
	 * Whether PostgreSQL notifies waiting instances, which takes one connection for each
	 * of them. If not, the database is polled, as others are.
	 */
	private boolean listen = true;

	public @Nullable Boolean getEnabled() {
		return this.enabled;
	}

	public void setEnabled(@Nullable Boolean enabled) {
		this.enabled = enabled;
	}

	public String getTable() {
		return this.table;
	}

	public void setTable(String table) {
		// The name goes into statements as it is.
		if (!table.matches("([A-Za-z0-9_]+\\.)?[A-Za-z0-9_]+")) {
			throw new IllegalArgumentException("distributed-lock.jdbc.table is '" + table
					+ "'. Use letters, digits and underscores, with a schema and a dot in front if need be.");
		}
		this.table = table;
	}

	public int getParallelism() {
		return this.parallelism;
	}

	public void setParallelism(int parallelism) {
		this.parallelism = parallelism;
	}

	public Duration getCleanUpAfter() {
		return this.cleanUpAfter;
	}

	public void setCleanUpAfter(Duration cleanUpAfter) {
		this.cleanUpAfter = cleanUpAfter;
	}

	public boolean isListen() {
		return this.listen;
	}

	public void setListen(boolean listen) {
		this.listen = listen;
	}

	@Override
	public String getDefaultSchemaLocation() {
		return DEFAULT_SCHEMA_LOCATION;
	}

}
