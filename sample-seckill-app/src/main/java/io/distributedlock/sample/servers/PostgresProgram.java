package io.distributedlock.sample.servers;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.ConnectException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Properties;

import io.zonky.test.db.postgres.embedded.DefaultPostgresBinaryResolver;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveInputStream;
import org.tukaani.xz.XZInputStream;

/**
 * PostgreSQL, from Zonky's binaries.
 */
final class PostgresProgram implements ServerProgram {

	static final String USER = "seckill";

	// PSQLState: what a server says that does not know the password, and the driver when
	// nobody listens.
	private static final String NO_CONNECTION = "08001";

	private static final String DUPLICATE_DATABASE = "42P04";

	private static final String UNIQUE_VIOLATION = "23505";

	@Override
	public String name() {
		return "Postgres";
	}

	static String url(ServerSite site, String database) {
		return "jdbc:postgresql://" + ServerSite.HOST + ":" + site.port() + "/" + database;
	}

	private static Connection connect(ServerSite site, String database) throws SQLException {
		Properties properties = new Properties();
		properties.setProperty("user", USER);
		properties.setProperty("password", site.password());
		properties.setProperty("loginTimeout", "5");
		properties.setProperty("connectTimeout", "5");
		return DriverManager.getConnection(url(site, database), properties);
	}

	@Override
	public Occupant occupant(ServerSite site) {
		try (Connection connection = connect(site, "postgres")) {
			return connection.isValid(5) ? Occupant.OURS : Occupant.STRANGER;
		}
		catch (SQLException ex) {
			return (NO_CONNECTION.equals(ex.getSQLState()) && !isOpen(site)) ? Occupant.NOBODY : Occupant.STRANGER;
		}
	}

	private static boolean isOpen(ServerSite site) {
		try {
			site.connect(Duration.ofSeconds(2)).close();
			return true;
		}
		catch (ConnectException ex) {
			return false;
		}
		catch (IOException ex) {
			// Somebody is there, but does not answer.
			return true;
		}
	}

	@Override
	public void start(ServerSite site) throws IOException {
		Path programs = unpack(site);
		Path data = site.file("data");
		if (!Files.exists(data)) {
			initialise(site, programs, data);
		}
		Path log = site.file("postgres.log");
		Files.deleteIfExists(log);
		// pg_ctl gives the server a session of its own.
		try {
			site.run(command(programs, "pg_ctl", "start", "-w", "-t", "50", "-D", data.toString(), "-l", log.toString(),
					"-o", "-p " + site.port() + " -c listen_addresses=" + ServerSite.HOST
							+ " -c unix_socket_directories= -c max_connections=250"));
		}
		catch (IOException ex) {
			throw new IOException(ex.getMessage() + System.lineSeparator() + ServerSite.tail(log), ex);
		}
	}

	private static void initialise(ServerSite site, Path programs, Path data) throws IOException {
		Path draft = site.file("data.draft");
		ServerSite.deleteTree(draft);
		site.run(command(programs, "initdb", "-D", draft.toString(), "-U", USER, "--auth=scram-sha-256",
				"--pwfile=" + site.file("password"), "-E", "UTF-8", "--locale=C"));
		Files.move(draft, data);
	}

	/**
	 * Makes a database, if it is not there.
	 * @param site where the server lives
	 * @param database its name
	 */
	static void createDatabase(ServerSite site, String database) {
		try (Connection connection = connect(site, "postgres"); Statement statement = connection.createStatement()) {
			ResultSet found = statement.executeQuery("SELECT 1 FROM pg_database WHERE datname = '" + database + "'");
			if (!found.next()) {
				statement.execute("CREATE DATABASE " + database);
			}
		}
		catch (SQLException ex) {
			// Another instance may have been faster.
			if (!DUPLICATE_DATABASE.equals(ex.getSQLState()) && !UNIQUE_VIOLATION.equals(ex.getSQLState())) {
				throw new ServerException("The database " + database + " cannot be made: " + ex.getMessage(), ex);
			}
		}
	}

	@Override
	public void stop(ServerSite site) throws IOException {
		site.run(command(site.file("programs"), "pg_ctl", "stop", "-w", "-t", "30", "-m", "fast", "-D",
				site.file("data").toString()));
	}

	/**
	 * PostgreSQL refuses to run as root. In a user namespace of its own it does not see
	 * that it is root, and needs no second account on this machine.
	 */
	private static List<String> command(Path programs, String program, String... arguments) {
		List<String> command = new ArrayList<>();
		if ("root".equals(System.getProperty("user.name"))) {
			command.addAll(List.of("unshare", "-U"));
		}
		command.add(programs.resolve("bin").resolve(program).toString());
		command.addAll(List.of(arguments));
		return command;
	}

	private static Path unpack(ServerSite site) throws IOException {
		Path programs = site.file("programs");
		if (!Files.isDirectory(programs)) {
			Path draft = site.file("programs.draft");
			ServerSite.deleteTree(draft);
			try (InputStream binary = DefaultPostgresBinaryResolver.INSTANCE.getPgBinary(system(), architecture());
					TarArchiveInputStream tar = new TarArchiveInputStream(
							new XZInputStream(new BufferedInputStream(binary, 1 << 16)))) {
				unpack(tar, draft);
			}
			Files.move(draft, programs);
		}
		return programs;
	}

	private static void unpack(TarArchiveInputStream tar, Path to) throws IOException {
		for (TarArchiveEntry entry = tar.getNextEntry(); entry != null; entry = tar.getNextEntry()) {
			Path file = to.resolve(entry.getName()).normalize();
			if (!file.startsWith(to)) {
				throw new IOException("The archive has an entry outside of it: " + entry.getName());
			}
			if (entry.isDirectory()) {
				Files.createDirectories(file);
				continue;
			}
			Files.createDirectories(file.getParent());
			if (entry.isSymbolicLink()) {
				Files.createSymbolicLink(file, Path.of(entry.getLinkName()));
			}
			else {
				Files.copy(tar, file);
				if ((entry.getMode() & 0100) != 0 && !file.toFile().setExecutable(true)) {
					throw new IOException(file + " cannot be made executable.");
				}
			}
		}
	}

	private static String system() {
		return System.getProperty("os.name").startsWith("Mac") ? "Darwin" : "Linux";
	}

	private static String architecture() {
		return System.getProperty("os.arch");
	}

}
