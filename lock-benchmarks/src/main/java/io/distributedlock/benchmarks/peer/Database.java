package io.distributedlock.benchmarks.peer;

import javax.sql.DataSource;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;

/**
 * PostgreSQL through a pool, with enough connections for all threads of a scenario.
 */
public final class Database implements AutoCloseable {

	/** The user, the database, and the password, which nobody asks for on loopback. */
	public static final String NAME = "postgres";

	/** The table of this library, its default. */
	public static final String TABLE = "distributed_lock";

	private static final int CONNECTIONS = 32;

	private final HikariDataSource dataSource;

	private Database(HikariDataSource dataSource) {
		this.dataSource = dataSource;
	}

	static Database connect(Address server) {
		HikariConfig config = new HikariConfig();
		config.setJdbcUrl(url(server));
		config.setUsername(NAME);
		config.setPassword(NAME);
		config.setMaximumPoolSize(CONNECTIONS);
		return new Database(new HikariDataSource(config));
	}

	/**
	 * Returns the JDBC URL of a server.
	 * @param server where it listens
	 * @return the URL
	 */
	public static String url(Address server) {
		return "jdbc:postgresql://" + server + "/" + NAME;
	}

	DataSource dataSource() {
		return this.dataSource;
	}

	@Override
	public void close() {
		this.dataSource.close();
	}

}
