package io.distributedlock.store.zookeeper.server;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

import org.jspecify.annotations.Nullable;

/**
 * A ZooKeeper server in a process of its own, alone or of an ensemble. It can be stopped
 * in its tracks ({@link #freeze}), killed, and started again on the same port with the
 * same data.
 */
public final class ZooKeeperServerProcess implements AutoCloseable {

	private static final long START_SECONDS = 30;

	private final int port;

	private final Path directory;

	private final boolean alone;

	private final List<String> options;

	private @Nullable Process process;

	ZooKeeperServerProcess(int port, String ensemble, int id, Duration tick, Map<String, String> settings,
			boolean durable) {
		this.port = port;
		this.alone = ensemble.isEmpty();
		this.options = durable ? List.of() : List.of("-Dzookeeper.forceSync=no");
		try {
			this.directory = Files.createTempDirectory("zookeeper-" + port + "-");
			StringBuilder configuration = new StringBuilder();
			configuration.append("tickTime=").append(tick.toMillis()).append('\n');
			configuration.append("dataDir=").append(this.directory).append('\n');
			configuration.append("clientPort=").append(port).append('\n');
			configuration.append("clientPortAddress=127.0.0.1\n");
			configuration.append("4lw.commands.whitelist=*\n");
			configuration.append("admin.enableServer=false\n");
			configuration.append("maxClientCnxns=0\n");
			if (!this.alone) {
				configuration.append("initLimit=10\nsyncLimit=5\n").append(ensemble);
				Files.writeString(this.directory.resolve("myid"), String.valueOf(id));
			}
			settings.forEach((name, value) -> configuration.append(name).append('=').append(value).append('\n'));
			Files.writeString(this.directory.resolve("zoo.cfg"), configuration);
		}
		catch (IOException ex) {
			throw new UncheckedIOException(ex);
		}
	}

	/**
	 * Starts a server with settings that suit tests: a tick of 1 s, sessions from 500 ms
	 * to 2 minutes, no waiting for the disk.
	 * @return the running server, on a free port
	 */
	public static ZooKeeperServerProcess start() {
		return start(Duration.ofSeconds(1), Map.of("minSessionTimeout", "500", "maxSessionTimeout", "120000"), false);
	}

	/**
	 * Starts a server with the settings that it has if nobody configures any.
	 * @return the running server, on a free port
	 */
	public static ZooKeeperServerProcess startWithDefaults() {
		return start(Duration.ofSeconds(2), Map.of(), true);
	}

	/**
	 * Starts a server.
	 * @param tick its {@code tickTime}
	 * @param settings further lines of its configuration
	 * @param durable whether it waits for the disk
	 * @return the running server, on a free port
	 */
	public static ZooKeeperServerProcess start(Duration tick, Map<String, String> settings, boolean durable) {
		try {
			return startOnFreePort(tick, settings, durable);
		}
		catch (IllegalStateException ex) {
			// Somebody may have taken the port meanwhile.
			return startOnFreePort(tick, settings, durable);
		}
	}

	private static ZooKeeperServerProcess startOnFreePort(Duration tick, Map<String, String> settings,
			boolean durable) {
		ZooKeeperServerProcess server = new ZooKeeperServerProcess(freePort(), "", 0, tick, settings, durable);
		server.restart();
		return server;
	}

	/**
	 * Finds a port that nobody uses.
	 * @return the port
	 */
	public static int freePort() {
		try (ServerSocket socket = new ServerSocket()) {
			socket.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
			return socket.getLocalPort();
		}
		catch (IOException ex) {
			throw new UncheckedIOException(ex);
		}
	}

	/**
	 * Starts the server again, with its data, after it was killed.
	 */
	public void restart() {
		launch();
		awaitService();
	}

	void launch() {
		List<String> command = new ArrayList<>(List.of(System.getProperty("java.home") + "/bin/java", "-Xmx192m",
				"-XX:+UseSerialGC", "-XX:TieredStopAtLevel=" + (this.options.isEmpty() ? "4" : "1")));
		command.addAll(this.options);
		command.addAll(List.of("-cp", System.getProperty("java.class.path"),
				this.alone ? "org.apache.zookeeper.server.ZooKeeperServerMain"
						: "org.apache.zookeeper.server.quorum.QuorumPeerMain",
				this.directory.resolve("zoo.cfg").toString()));
		try {
			this.process = new ProcessBuilder(command).redirectErrorStream(true)
				.redirectOutput(ProcessBuilder.Redirect.appendTo(this.directory.resolve("out").toFile()))
				.start();
		}
		catch (IOException ex) {
			throw new UncheckedIOException(ex);
		}
	}

	void awaitService() {
		long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(START_SECONDS);
		while (System.nanoTime() < deadline && process().isAlive()) {
			if (mode() != null) {
				return;
			}
			pause();
		}
		String output = output();
		close();
		throw new IllegalStateException("ZooKeeper on port " + this.port + " did not start: " + output);
	}

	private static void pause() {
		try {
			TimeUnit.MILLISECONDS.sleep(20);
		}
		catch (InterruptedException ex) {
			Thread.currentThread().interrupt();
			throw new IllegalStateException("Interrupted while a server starts", ex);
		}
	}

	private String output() {
		try {
			return Files.readString(this.directory.resolve("out"));
		}
		catch (IOException ex) {
			return ex.toString();
		}
	}

	/**
	 * Returns what the server is.
	 * @return {@code standalone}, {@code leader} or {@code follower}, or null if it does
	 * not serve
	 */
	public @Nullable String mode() {
		try {
			return command("srvr").lines()
				.filter((line) -> line.startsWith("Mode: "))
				.map((line) -> line.substring(6))
				.findFirst()
				.orElse(null);
		}
		catch (UncheckedIOException ex) {
			return null;
		}
	}

	/**
	 * Sends a command of four letters.
	 * @param word the command
	 * @return what the server said
	 */
	public String command(String word) {
		try (Socket socket = new Socket()) {
			socket.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), this.port), 1000);
			socket.setSoTimeout(2000);
			socket.getOutputStream().write(word.getBytes(StandardCharsets.US_ASCII));
			return new String(socket.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
		}
		catch (IOException ex) {
			throw new UncheckedIOException(ex);
		}
	}

	/**
	 * Returns the port for clients.
	 * @return the port
	 */
	public int port() {
		return this.port;
	}

	/**
	 * Returns what a client connects to.
	 * @return address and port
	 */
	public String connectString() {
		return "127.0.0.1:" + this.port;
	}

	/**
	 * Stops the process in its tracks; connections stay open.
	 */
	public void freeze() {
		signal("STOP");
	}

	/**
	 * Lets the process go on.
	 */
	public void thaw() {
		signal("CONT");
	}

	private void signal(String name) {
		try {
			new ProcessBuilder("kill", "-" + name, String.valueOf(process().pid())).start().waitFor();
		}
		catch (IOException ex) {
			throw new UncheckedIOException(ex);
		}
		catch (InterruptedException ex) {
			Thread.currentThread().interrupt();
		}
	}

	/**
	 * Kills the process.
	 */
	public void kill() {
		Process running = this.process;
		if (running != null) {
			running.destroyForcibly();
			try {
				running.waitFor();
			}
			catch (InterruptedException ex) {
				Thread.currentThread().interrupt();
			}
		}
	}

	private Process process() {
		if (this.process == null) {
			throw new IllegalStateException("Not started");
		}
		return this.process;
	}

	@Override
	public void close() {
		kill();
		try (Stream<Path> files = Files.walk(this.directory)) {
			files.sorted(Comparator.reverseOrder()).forEach((file) -> file.toFile().delete());
		}
		catch (IOException ex) {
			throw new UncheckedIOException(ex);
		}
	}

	@Override
	public String toString() {
		return "ZooKeeper on port " + this.port;
	}

}
