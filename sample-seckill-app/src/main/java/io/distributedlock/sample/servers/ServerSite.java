package io.distributedlock.sample.servers;

import java.io.File;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.stream.Stream;

import org.springframework.util.FileSystemUtils;

/**
 * Where one embedded server lives: its directory, its loopback port and the password that
 * its clients need. The password also tells our server from a stranger on the same port:
 * only the server that was started from this directory knows it.
 */
final class ServerSite {

	static final String HOST = "127.0.0.1";

	private final Path directory;

	private final int port;

	private final String password;

	private ServerSite(Path directory, int port, String password) {
		this.directory = directory;
		this.port = port;
		this.password = password;
	}

	/**
	 * Opens the site, and makes what is missing of it. Call it under the lock that keeps
	 * other instances from doing the same.
	 * @param directory absolute path
	 * @param port the port, or 0 for a free one
	 * @return the site
	 * @throws IOException if its files cannot be read or written
	 */
	static ServerSite open(Path directory, int port) throws IOException {
		Path password = directory.resolve("password");
		if (!Files.exists(password)) {
			byte[] bytes = new byte[24];
			new SecureRandom().nextBytes(bytes);
			writePrivate(password, Base64.getUrlEncoder().withoutPadding().encodeToString(bytes));
		}
		int actualPort = (port != 0) ? port : rememberedPort(directory.resolve("port"));
		return new ServerSite(directory, actualPort, Files.readString(password));
	}

	private static int rememberedPort(Path file) throws IOException {
		try {
			return Integer.parseInt(Files.readString(file).strip());
		}
		catch (NoSuchFileException ex) {
			try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getByName(HOST))) {
				Files.writeString(file, Integer.toString(socket.getLocalPort()));
				return socket.getLocalPort();
			}
		}
	}

	/**
	 * Writes a file that only its owner can read, all of it or nothing.
	 * @param file which file
	 * @param text its content
	 * @throws IOException if it cannot be written
	 */
	static void writePrivate(Path file, String text) throws IOException {
		Path draft = file.resolveSibling(file.getFileName() + ".draft");
		Files.deleteIfExists(draft);
		Files.createFile(draft, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
		Files.writeString(draft, text);
		Files.move(draft, file, StandardCopyOption.ATOMIC_MOVE);
	}

	Path directory() {
		return this.directory;
	}

	Path file(String name) {
		return this.directory.resolve(name);
	}

	int port() {
		return this.port;
	}

	String password() {
		return this.password;
	}

	Socket connect(Duration timeout) throws IOException {
		Socket socket = new Socket();
		try {
			socket.connect(new InetSocketAddress(HOST, this.port), (int) timeout.toMillis());
			socket.setSoTimeout((int) timeout.toMillis());
			return socket;
		}
		catch (IOException ex) {
			socket.close();
			throw ex;
		}
	}

	/**
	 * Runs a program to its end.
	 * @param command program and arguments
	 * @throws IOException if it cannot be run, fails, or takes longer than a minute
	 */
	void run(List<String> command) throws IOException {
		Path output = file("last-command.log");
		Process process = new ProcessBuilder(command).directory(this.directory.toFile())
			.redirectErrorStream(true)
			.redirectOutput(output.toFile())
			.start();
		process.getOutputStream().close();
		try {
			if (!process.waitFor(1, TimeUnit.MINUTES)) {
				process.destroyForcibly();
				throw new IOException(command + " did not end within a minute");
			}
		}
		catch (InterruptedException ex) {
			process.destroyForcibly();
			Thread.currentThread().interrupt();
			throw new IOException("Interrupted while " + command + " ran", ex);
		}
		if (process.exitValue() != 0) {
			throw new IOException(command + " ended with " + process.exitValue() + ": " + tail(output));
		}
	}

	/**
	 * Waits for a moment, between two looks at a server that starts.
	 * @throws IOException if the thread is interrupted
	 */
	static void pause() throws IOException {
		try {
			Thread.sleep(10);
		}
		catch (InterruptedException ex) {
			Thread.currentThread().interrupt();
			throw new IOException("Interrupted while a server started", ex);
		}
	}

	/**
	 * Returns the end of a log file.
	 * @param log which file
	 * @return its last lines, or what keeps it from being read
	 */
	static String tail(Path log) {
		try {
			List<String> lines = Files.readAllLines(log);
			return String.join(System.lineSeparator(), lines.subList(Math.max(0, lines.size() - 10), lines.size()));
		}
		catch (IOException ex) {
			return "(no log: " + ex.getMessage() + ")";
		}
	}

	/**
	 * Starts a server that does not detach itself: as a leader of a session of its own
	 * where {@code setsid} is at hand, so that Ctrl-C in a terminal does not reach it.
	 * @param command program and arguments; one argument must be an option with a path in
	 * this directory, by which the process is found again. Keep it short: of command
	 * lines longer than a page Java sees no arguments
	 * @param environment variables to set
	 * @param log where its output goes
	 * @return the process
	 * @throws IOException if it cannot be started
	 */
	Process launch(List<String> command, Map<String, String> environment, Path log) throws IOException {
		List<String> detached = new ArrayList<>();
		if (Programs.find("setsid").isPresent()) {
			detached.add("setsid");
		}
		detached.addAll(command);
		ProcessBuilder builder = new ProcessBuilder(detached);
		builder.environment().putAll(environment);
		return builder.directory(this.directory.toFile())
			.redirectInput(ProcessBuilder.Redirect.from(new File("/dev/null")))
			.redirectErrorStream(true)
			.redirectOutput(log.toFile())
			.start();
	}

	/**
	 * Asks the launched server to end, and returns when it has.
	 * @throws IOException if it does not end
	 */
	void stopLaunched() throws IOException {
		for (ProcessHandle process : processes().toList()) {
			process.destroy();
			try {
				process.onExit().get(10, TimeUnit.SECONDS);
			}
			catch (InterruptedException ex) {
				Thread.currentThread().interrupt();
				throw new IOException("Interrupted while process " + process.pid() + " ended", ex);
			}
			catch (ExecutionException | TimeoutException ex) {
				throw new IOException("Process " + process.pid() + " does not end. Type: kill -9 " + process.pid(), ex);
			}
		}
	}

	/**
	 * Ends what still runs for this site although the directory was wiped meanwhile
	 * ({@code mvn clean} under a running server).
	 */
	void endLeftOvers() {
		processes().forEach(ServerSite::end);
	}

	/**
	 * Finds the processes that run a program out of this site's directory, or were given
	 * an option with a path in it.
	 */
	private Stream<ProcessHandle> processes() {
		String ours = this.directory + "/";
		return ProcessHandle.allProcesses()
			.filter((process) -> process.info().command().filter((command) -> command.startsWith(ours)).isPresent()
					|| Arrays.stream(process.info().arguments().orElse(new String[0]))
						.anyMatch((argument) -> argument.startsWith("-") && argument.contains("=" + ours)));
	}

	private static void end(ProcessHandle process) {
		process.destroyForcibly();
		try {
			process.onExit().get(5, TimeUnit.SECONDS);
		}
		catch (InterruptedException ex) {
			Thread.currentThread().interrupt();
		}
		catch (ExecutionException | TimeoutException ex) {
			throw new ServerException("Process " + process.pid() + ", left over by an earlier run, does not end."
					+ " Type: kill -9 " + process.pid(), ex);
		}
	}

	/**
	 * Deletes a directory with all that is in it.
	 * @param root the directory; nothing happens if there is none
	 * @throws IOException if something in it cannot be deleted
	 */
	static void deleteTree(Path root) throws IOException {
		FileSystemUtils.deleteRecursively(root);
	}

}
