package io.distributedlock.benchmarks.server;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.Arrays;

import io.distributedlock.benchmarks.peer.Address;
import io.distributedlock.benchmarks.peer.Database;
import io.distributedlock.store.jdbc.JdbcLockStore;
import io.zonky.test.db.postgres.embedded.EmbeddedPostgres;
import org.postgresql.ds.PGSimpleDataSource;

/**
 * A PostgreSQL that is started here, on loopback and a free port, that writes to disk as
 * PostgreSQL does by default, with the tables as this library and the peers define them.
 */
public final class PostgresServer implements BenchServer {

	private static final String SCHEMA = """
			CREATE TABLE int_lock (
			  lock_key CHAR(36) NOT NULL,
			  region VARCHAR(100) NOT NULL,
			  client_id CHAR(36),
			  created_date TIMESTAMP NOT NULL,
			  expired_after TIMESTAMP NOT NULL,
			  CONSTRAINT int_lock_pk PRIMARY KEY (lock_key, region));
			CREATE TABLE shedlock (
			  name VARCHAR(64) NOT NULL,
			  lock_until TIMESTAMP NOT NULL,
			  locked_at TIMESTAMP NOT NULL,
			  locked_by VARCHAR(255) NOT NULL,
			  PRIMARY KEY (name));
			CREATE EXTENSION pg_stat_statements
			""";

	private final EmbeddedPostgres process;

	private final Connection connection;

	private long ownStatements;

	private PostgresServer(EmbeddedPostgres process) throws SQLException {
		this.process = process;
		this.connection = DriverManager.getConnection(Database.url(address()), Database.NAME, Database.NAME);
		execute(SCHEMA);
		PGSimpleDataSource source = new PGSimpleDataSource();
		source.setURL(Database.url(address()));
		source.setUser(Database.NAME);
		source.setPassword(Database.NAME);
		for (String statement : JdbcLockStore.schemaStatements(source, Database.TABLE)) {
			execute(statement);
		}
	}

	/**
	 * Starts a server.
	 * @return the server
	 */
	public static PostgresServer start() {
		try {
			EmbeddedPostgres process = EmbeddedPostgres.builder()
				.setServerConfig("listen_addresses", "127.0.0.1")
				.setServerConfig("max_connections", "200")
				// The embedded server would not write to disk.
				.setServerConfig("fsync", "on")
				.setServerConfig("synchronous_commit", "on")
				.setServerConfig("full_page_writes", "on")
				// Counts statements.
				.setServerConfig("shared_preload_libraries", "pg_stat_statements")
				.start();
			return new PostgresServer(process);
		}
		catch (IOException ex) {
			throw new UncheckedIOException("PostgreSQL did not start", ex);
		}
		catch (SQLException ex) {
			throw new IllegalStateException("PostgreSQL does not do what it should", ex);
		}
	}

	@Override
	public Address address() {
		return new Address("127.0.0.1", this.process.getPort());
	}

	@Override
	public String version() {
		return "PostgreSQL " + query("SHOW server_version");
	}

	@Override
	public void clear() {
		try {
			execute("TRUNCATE " + query("SELECT string_agg(quote_ident(tablename), ', ') FROM pg_tables"
					+ " WHERE schemaname = current_schema()"));
		}
		catch (SQLException ex) {
			throw new IllegalStateException(ex);
		}
	}

	@Override
	public Counters counters() {
		// A session reports its fsyncs at most once a second.
		query("SELECT pg_stat_clear_snapshot()");
		long statements = Long.parseLong(query("SELECT sum(calls)::bigint FROM pg_stat_statements"));
		long syncs = Long
			.parseLong(query("SELECT coalesce(sum(fsyncs), 0)::bigint FROM pg_stat_io WHERE object = 'wal'"));
		double cpuMicros = Arrays
			.stream(query("SELECT string_agg(pid::text, ',') FROM pg_stat_activity WHERE pid <> pg_backend_pid()")
				.split(","))
			.flatMap((pid) -> ProcessHandle.of(Long.parseLong(pid)).stream())
			.mapToDouble((process) -> process.info().totalCpuDuration().orElse(Duration.ZERO).toNanos() / 1e3)
			.sum();
		return new Counters(statements - this.ownStatements, Double.NaN, cpuMicros, syncs);
	}

	@Override
	public long ping() {
		long start = System.nanoTime();
		query("SELECT 1");
		return System.nanoTime() - start;
	}

	private void execute(String sql) throws SQLException {
		try (Statement statement = this.connection.createStatement()) {
			statement.execute(sql);
			this.ownStatements++;
		}
	}

	private String query(String sql) {
		try (Statement statement = this.connection.createStatement(); ResultSet rows = statement.executeQuery(sql)) {
			this.ownStatements++;
			rows.next();
			return rows.getString(1);
		}
		catch (SQLException ex) {
			throw new IllegalStateException("PostgreSQL failed: " + sql, ex);
		}
	}

	@Override
	public void close() {
		try {
			this.connection.close();
			this.process.close();
		}
		catch (IOException ex) {
			throw new UncheckedIOException(ex);
		}
		catch (SQLException ex) {
			throw new IllegalStateException(ex);
		}
	}

}
