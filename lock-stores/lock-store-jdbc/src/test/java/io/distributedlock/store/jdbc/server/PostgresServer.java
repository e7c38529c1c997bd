package io.distributedlock.store.jdbc.server;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

import javax.sql.DataSource;

import io.zonky.test.db.postgres.embedded.EmbeddedPostgres;
import org.postgresql.ds.PGSimpleDataSource;

/**
 * A PostgreSQL server that can be killed, paused and started again on the same port with
 * the same data. It waits for its disk, as a server in production does.
 */
public final class PostgresServer implements AutoCloseable {

	private static final Duration PATIENCE = Duration.ofSeconds(30);

	private final Path directory;

	private final int port;

	private EmbeddedPostgres process;

	private boolean dead;

	private PostgresServer(Path directory, EmbeddedPostgres process) {
		this.directory = directory;
		this.process = process;
		this.port = process.getPort();
	}

	/**
	 * Starts a server on a free port.
	 * @return the server
	 */
	public static PostgresServer start() {
		try {
			Path directory = Files.createTempDirectory("lock-postgres");
			return new PostgresServer(directory, launch(directory, 0));
		}
		catch (IOException ex) {
			throw new UncheckedIOException(ex);
		}
	}

	private static EmbeddedPostgres launch(Path directory, int port) throws IOException {
		EmbeddedPostgres.Builder builder = EmbeddedPostgres.builder()
			.setDataDirectory(directory.resolve("data"))
			.setCleanDataDirectory(false)
			.setServerConfig("listen_addresses", "127.0.0.1")
			.setServerConfig("fsync", "on")
			.setServerConfig("synchronous_commit", "on")
			.setServerConfig("full_page_writes", "on")
			.setServerConfig("max_connections", "200")
			.setServerConfig("timezone", "UTC")
			.setPGStartupWait(PATIENCE)
			.setOutputRedirector(ProcessBuilder.Redirect.DISCARD)
			.setErrorRedirector(ProcessBuilder.Redirect.DISCARD);
		if (port != 0) {
			builder.setPort(port);
		}
		return builder.start();
	}

	/**
	 * Returns the port it listens on, also while it is dead.
	 * @return the port on 127.0.0.1
	 */
	public int port() {
		return this.port;
	}

	/**
	 * Returns the address for JDBC.
	 * @return the url; user postgres, no password
	 */
	public String url() {
		return "jdbc:postgresql://127.0.0.1:" + this.port + "/postgres?user=postgres";
	}

	/**
	 * Adds the option that makes the driver join inserts into one statement.
	 */
	public static String rewriting(String url) {
		return url + (url.contains("?") ? "&" : "?") + "reWriteBatchedInserts=true";
	}

	/**
	 * Returns a source of new connections.
	 * @return a source without a pool
	 */
	public DataSource dataSource() {
		PGSimpleDataSource source = new PGSimpleDataSource();
		source.setUrl(url());
		return source;
	}

	/**
	 * Runs a statement.
	 * @param sql one statement
	 * @return the first column of its result, as lines
	 */
	public List<String> query(String sql) {
		try (Connection connection = dataSource().getConnection(); Statement statement = connection.createStatement()) {
			List<String> lines = new ArrayList<>();
			if (statement.execute(sql)) {
				ResultSet result = statement.getResultSet();
				while (result.next()) {
					lines.add(result.getString(1));
				}
			}
			return lines;
		}
		catch (SQLException ex) {
			throw new IllegalStateException(sql, ex);
		}
	}

	/**
	 * Kills it, as a crash would.
	 */
	public void kill() {
		List<ProcessHandle> family = family();
		family.get(0).destroyForcibly();
		// They would notice, but only sooner or later.
		family.forEach(ProcessHandle::destroyForcibly);
		for (ProcessHandle each : family) {
			try {
				each.onExit().get(PATIENCE.toSeconds(), TimeUnit.SECONDS);
			}
			catch (Exception ex) {
				throw new IllegalStateException("PostgreSQL process " + each.pid() + " survives", ex);
			}
		}
		this.dead = true;
		try {
			// Frees what guards the directory; there is nothing left to stop.
			this.process.close();
		}
		catch (IOException ex) {
			throw new UncheckedIOException(ex);
		}
	}

	/**
	 * Starts it again after a kill.
	 */
	public void restart() {
		try {
			Files.deleteIfExists(this.directory.resolve("data/postmaster.pid"));
			this.process = launch(this.directory, this.port);
			this.dead = false;
		}
		catch (IOException ex) {
			throw new UncheckedIOException(ex);
		}
	}

	/**
	 * Stops it in its tracks until {@link #resume()}.
	 */
	public void pause() {
		signal("-STOP");
		// The first time a backend may have been born in between: a pool is still
		// filling.
		signal("-STOP");
	}

	/**
	 * Ends a pause.
	 */
	public void resume() {
		signal("-CONT");
	}

	private void signal(String signal) {
		List<String> command = new ArrayList<>(List.of("kill", signal));
		family().forEach((each) -> command.add(String.valueOf(each.pid())));
		try {
			// A backend may have ended on its own in between, which kill complains of.
			new ProcessBuilder(command).redirectErrorStream(true)
				.redirectOutput(ProcessBuilder.Redirect.DISCARD)
				.start()
				.waitFor();
		}
		catch (IOException ex) {
			throw new UncheckedIOException(ex);
		}
		catch (InterruptedException ex) {
			Thread.currentThread().interrupt();
		}
	}

	private List<ProcessHandle> family() {
		try {
			long pid = Long.parseLong(Files.readAllLines(this.directory.resolve("data/postmaster.pid")).get(0).trim());
			ProcessHandle postmaster = ProcessHandle.of(pid).orElseThrow();
			return Stream.concat(Stream.of(postmaster), postmaster.descendants()).toList();
		}
		catch (IOException ex) {
			throw new UncheckedIOException(ex);
		}
	}

	@Override
	public void close() {
		try {
			if (!this.dead) {
				this.process.close();
			}
			try (Stream<Path> files = Files.walk(this.directory)) {
				files.sorted(java.util.Comparator.reverseOrder()).forEach((file) -> file.toFile().delete());
			}
		}
		catch (IOException ex) {
			throw new UncheckedIOException(ex);
		}
	}

}
