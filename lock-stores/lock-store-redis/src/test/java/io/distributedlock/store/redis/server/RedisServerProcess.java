package io.distributedlock.store.redis.server;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

import org.jspecify.annotations.Nullable;

/**
 * A Redis server of its own process, without persistence. It can be stopped in its tracks
 * ({@link #freeze}), killed, and started again on the same port.
 */
public final class RedisServerProcess implements AutoCloseable {

	private static final long START_SECONDS = 10;

	private final int port;

	private final List<String> arguments;

	private final Map<String, String> environment;

	private final Path directory;

	private @Nullable Process process;

	private RedisServerProcess(int port, Map<String, String> environment, List<String> arguments) {
		this.port = port;
		this.arguments = List.copyOf(arguments);
		this.environment = environment;
		try {
			this.directory = Files.createTempDirectory("redis-" + port + "-");
		}
		catch (IOException ex) {
			throw new UncheckedIOException(ex);
		}
	}

	/**
	 * Starts a server on a free port.
	 * @param arguments more arguments of {@code redis-server}, such as
	 * {@code "--maxmemory", "10mb"}
	 * @return the running server
	 */
	public static RedisServerProcess start(String... arguments) {
		try {
			return startOn(freePort(), arguments);
		}
		catch (IllegalStateException ex) {
			// Somebody may have taken the port meanwhile.
			return startOn(freePort(), arguments);
		}
	}

	/**
	 * Starts a server on a given port.
	 * @param port the port
	 * @param arguments more arguments of {@code redis-server}
	 * @return the running server
	 */
	public static RedisServerProcess startOn(int port, String... arguments) {
		return startWith(port, Map.of(), arguments);
	}

	/**
	 * Starts a server with environment variables.
	 * @param port the port
	 * @param environment the variables
	 * @param arguments more arguments of {@code redis-server}
	 * @return the running server
	 */
	public static RedisServerProcess startWith(int port, Map<String, String> environment, String... arguments) {
		RedisServerProcess server = new RedisServerProcess(port, environment, List.of(arguments));
		server.restart();
		return server;
	}

	/**
	 * Starts a Sentinel.
	 * @param port the port
	 * @param configuration its configuration file, which it rewrites
	 * @return the running Sentinel
	 */
	public static RedisServerProcess startSentinel(int port, Path configuration) {
		return startOn(port, configuration.toString(), "--sentinel");
	}

	/**
	 * Finds a port that nobody uses.
	 * @return the port
	 */
	public static int freePort() {
		// A cluster bus takes port + 10000.
		for (int i = 0; i < 100; i++) {
			try (ServerSocket socket = new ServerSocket()) {
				socket.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
				if (socket.getLocalPort() < 55_000) {
					return socket.getLocalPort();
				}
			}
			catch (IOException ex) {
				throw new UncheckedIOException(ex);
			}
		}
		throw new IllegalStateException("No free port below 55000");
	}

	/**
	 * Starts the server again, empty, after it was killed.
	 */
	public void restart() {
		boolean sentinel = this.arguments.contains("--sentinel");
		List<String> command = new ArrayList<>(List.of(RedisBinary.path().toString()));
		if (sentinel) {
			command.addAll(this.arguments);
		}
		command.addAll(List.of("--port", String.valueOf(this.port), "--bind", "127.0.0.1", "--dir",
				this.directory.toString(), "--logfile", this.directory.resolve("log").toString()));
		if (!sentinel) {
			command.addAll(List.of("--save", "", "--appendonly", "no"));
			command.addAll(this.arguments);
		}
		try {
			ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true)
				.redirectOutput(this.directory.resolve("out").toFile());
			builder.environment().putAll(this.environment);
			this.process = builder.start();
		}
		catch (IOException ex) {
			throw new UncheckedIOException(ex);
		}
		awaitAnswer();
	}

	private void awaitAnswer() {
		long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(START_SECONDS);
		while (System.nanoTime() < deadline) {
			try {
				String answer = command("PING");
				if (answer.startsWith("+PONG") || answer.startsWith("-NOAUTH")) {
					return;
				}
			}
			catch (UncheckedIOException ex) {
				if (!process().isAlive()) {
					break;
				}
			}
			Thread.onSpinWait();
		}
		close();
		throw new IllegalStateException("Redis on port " + this.port + " did not start: " + this.arguments);
	}

	/**
	 * Returns the port.
	 * @return the port
	 */
	public int port() {
		return this.port;
	}

	/**
	 * Runs a command on a connection of its own.
	 * @param words the command and its arguments
	 * @return what the server said, as it said it; lines of an array one after the other
	 */
	public String command(String... words) {
		try (Socket socket = new Socket()) {
			socket.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), this.port), 1000);
			socket.setSoTimeout(5000);
			StringBuilder request = new StringBuilder("*" + words.length + "\r\n");
			for (String word : words) {
				request.append('$').append(word.length()).append("\r\n").append(word).append("\r\n");
			}
			socket.getOutputStream().write(request.toString().getBytes(StandardCharsets.ISO_8859_1));
			BufferedReader reader = new BufferedReader(
					new InputStreamReader(socket.getInputStream(), StandardCharsets.ISO_8859_1));
			return answer(reader);
		}
		catch (IOException ex) {
			throw new UncheckedIOException(ex);
		}
	}

	private static String answer(BufferedReader reader) throws IOException {
		String line = reader.readLine();
		if (line == null) {
			throw new IOException("The server closed the connection");
		}
		if (line.startsWith("$")) {
			int length = Integer.parseInt(line.substring(1));
			if (length < 0) {
				return "";
			}
			char[] text = new char[length + 2];
			int read = 0;
			while (read < text.length) {
				read += reader.read(text, read, text.length - read);
			}
			return new String(text, 0, length);
		}
		if (line.startsWith("*")) {
			List<String> parts = new ArrayList<>();
			for (int i = 0; i < Integer.parseInt(line.substring(1)); i++) {
				parts.add(answer(reader));
			}
			return String.join("\n", parts);
		}
		return line;
	}

	/**
	 * Stops the process without ending it: connections stay open and nothing answers.
	 */
	public void freeze() {
		signal("STOP");
	}

	/**
	 * Lets a frozen process go on.
	 */
	public void thaw() {
		signal("CONT");
	}

	/**
	 * Ends the process at once, as a power failure would.
	 */
	public void kill() {
		process().destroyForcibly();
		try {
			process().waitFor();
		}
		catch (InterruptedException ex) {
			Thread.currentThread().interrupt();
		}
	}

	/**
	 * Tells whether the process runs, frozen or not.
	 * @return whether it does
	 */
	public boolean isAlive() {
		return process().isAlive();
	}

	private void signal(String name) {
		try {
			int result = new ProcessBuilder("kill", "-" + name, String.valueOf(process().pid())).start().waitFor();
			if (result != 0) {
				throw new IllegalStateException("kill -" + name + " failed");
			}
		}
		catch (IOException ex) {
			throw new UncheckedIOException(ex);
		}
		catch (InterruptedException ex) {
			Thread.currentThread().interrupt();
		}
	}

	private Process process() {
		Process current = this.process;
		if (current == null) {
			throw new IllegalStateException("never started");
		}
		return current;
	}

	@Override
	public void close() {
		if (process().isAlive()) {
			kill();
		}
		try (Stream<Path> files = Files.walk(this.directory)) {
			files.sorted(Comparator.reverseOrder()).map(Path::toFile).forEach((file) -> {
				if (!file.delete()) {
					file.deleteOnExit();
				}
			});
		}
		catch (IOException ex) {
			throw new UncheckedIOException(ex);
		}
	}

}
