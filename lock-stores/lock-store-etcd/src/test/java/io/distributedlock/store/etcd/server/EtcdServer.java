package io.distributedlock.store.etcd.server;

import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

import org.jspecify.annotations.Nullable;

/**
 * An etcd server of its own process on 127.0.0.1, with its data in a temporary directory.
 * It can be killed, started again with its data, and stopped in its tracks.
 * <p>
 * The programs {@code etcd} and {@code etcdctl} must be on the PATH; Debian's packages
 * are {@code etcd-server} and {@code etcd-client}.
 */
public final class EtcdServer implements AutoCloseable {

	/** What to say when there is no server to be started. */
	public static final String INSTALL = "install etcd-server and etcd-client";

	private static final String CERTIFICATE = "--cert-file";

	private static final Duration START_TIME = Duration.ofSeconds(20);

	private final String name;

	private final int port;

	private final int peerPort;

	private final List<String> arguments;

	private final Path directory;

	private @Nullable Process process;

	EtcdServer(String name, int port, int peerPort, List<String> arguments) {
		this.name = name;
		this.port = port;
		this.peerPort = peerPort;
		this.arguments = List.copyOf(arguments);
		try {
			this.directory = Files.createTempDirectory("etcd-" + port + "-");
		}
		catch (IOException ex) {
			throw new UncheckedIOException(ex);
		}
	}

	/**
	 * Tells whether there are the programs of etcd.
	 * @return true if servers can be started
	 */
	public static boolean isInstalled() {
		return program("etcd") != null && program("etcdctl") != null;
	}

	static @Nullable Path program(String name) {
		String path = System.getenv("PATH");
		for (String directory : ((path != null) ? path : "").split(File.pathSeparator)) {
			Path program = Path.of(directory, name);
			if (Files.isExecutable(program)) {
				return program;
			}
		}
		return null;
	}

	/**
	 * Starts a server on a free port.
	 * @param arguments more arguments of {@code etcd}; with {@code --cert-file} and
	 * {@code --key-file} it speaks TLS
	 * @return the running server
	 */
	public static EtcdServer start(String... arguments) {
		try {
			return startOnFreePorts(arguments);
		}
		catch (IllegalStateException ex) {
			// Somebody may have taken a port meanwhile.
			return startOnFreePorts(arguments);
		}
	}

	private static EtcdServer startOnFreePorts(String... arguments) {
		int port = freePort();
		int peerPort = freePort();
		List<String> all = new ArrayList<>(List.of("--initial-cluster", "one=http://127.0.0.1:" + peerPort));
		all.addAll(List.of(arguments));
		EtcdServer server = new EtcdServer("one", port, peerPort, all);
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
	 * Starts the server again, with the data it has, and waits until it takes writes.
	 */
	public void restart() {
		launch();
		awaitHealth();
	}

	void launch() {
		Path program = program("etcd");
		if (program == null) {
			throw new IllegalStateException("There is no etcd on the PATH: " + INSTALL);
		}
		boolean tls = this.arguments.contains(CERTIFICATE);
		String client = (tls ? "https" : "http") + "://127.0.0.1:" + this.port;
		String peer = "http://127.0.0.1:" + this.peerPort;
		List<String> command = new ArrayList<>(List.of(program.toString(), "--name", this.name, "--data-dir",
				this.directory.resolve("data").toString(), "--listen-client-urls", client, "--advertise-client-urls",
				client, "--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer, "--log-level", "error"));
		command.addAll(this.arguments);
		try {
			this.process = new ProcessBuilder(command).redirectErrorStream(true)
				.redirectOutput(ProcessBuilder.Redirect.appendTo(this.directory.resolve("log").toFile()))
				.start();
		}
		catch (IOException ex) {
			throw new UncheckedIOException(ex);
		}
	}

	void awaitHealth() {
		HttpClient http = HttpClient.newHttpClient();
		boolean tls = this.arguments.contains(CERTIFICATE);
		long end = System.nanoTime() + START_TIME.toNanos();
		while (tls ? !isListening() : !isHealthy(http)) {
			if (System.nanoTime() - end > 0 || !isRunning()) {
				kill();
				throw new IllegalStateException("etcd did not start: " + log());
			}
			pause();
		}
	}

	private boolean isHealthy(HttpClient http) {
		try {
			HttpRequest request = HttpRequest.newBuilder(URI.create(endpoint() + "/health"))
				.timeout(Duration.ofSeconds(2))
				.build();
			return http.send(request, HttpResponse.BodyHandlers.ofString()).body().contains("true");
		}
		catch (IOException ex) {
			return false;
		}
		catch (InterruptedException ex) {
			Thread.currentThread().interrupt();
			throw new IllegalStateException(ex);
		}
	}

	private boolean isListening() {
		try (Socket socket = new Socket()) {
			socket.connect(new InetSocketAddress("127.0.0.1", this.port), 200);
			return true;
		}
		catch (IOException ex) {
			return false;
		}
	}

	private static void pause() {
		try {
			TimeUnit.MILLISECONDS.sleep(20);
		}
		catch (InterruptedException ex) {
			Thread.currentThread().interrupt();
			throw new IllegalStateException(ex);
		}
	}

	/**
	 * Returns where clients connect to.
	 * @return such as {@code http://127.0.0.1:2379}
	 */
	public String endpoint() {
		return (this.arguments.contains(CERTIFICATE) ? "https" : "http") + "://127.0.0.1:" + this.port;
	}

	/**
	 * Returns the port for clients.
	 * @return the port
	 */
	public int port() {
		return this.port;
	}

	/**
	 * Returns the directory of its data and its log.
	 * @return a temporary directory
	 */
	public Path directory() {
		return this.directory;
	}

	/**
	 * Tells whether the process runs.
	 * @return true if it does
	 */
	public boolean isRunning() {
		Process running = this.process;
		return running != null && running.isAlive();
	}

	/**
	 * Ends the process as {@code kill -9} does. Its data stay.
	 */
	public void kill() {
		Process running = this.process;
		if (running != null) {
			running.destroyForcibly();
			running.onExit().join();
		}
	}

	/**
	 * Stops the process in its tracks, until {@link #thaw()}.
	 */
	public void freeze() {
		signal("-STOP");
	}

	/**
	 * Lets a stopped process go on.
	 */
	public void thaw() {
		signal("-CONT");
	}

	private void signal(String signal) {
		Process running = this.process;
		if (running == null) {
			throw new IllegalStateException("etcd does not run");
		}
		run("kill", signal, String.valueOf(running.pid()));
	}

	/**
	 * Runs {@code etcdctl} against this server.
	 * @param arguments its arguments
	 * @return what it printed
	 */
	public String etcdctl(String... arguments) {
		List<String> command = new ArrayList<>(List.of("etcdctl", "--endpoints", endpoint()));
		int certificate = this.arguments.indexOf(CERTIFICATE);
		if (certificate >= 0) {
			command.addAll(List.of("--cacert", this.arguments.get(certificate + 1)));
		}
		command.addAll(List.of(arguments));
		return run(command.toArray(String[]::new));
	}

	private static String run(String... command) {
		try {
			ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
			builder.environment().put("ETCDCTL_API", "3");
			Process process = builder.start();
			String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
			if (process.waitFor() != 0) {
				throw new IllegalStateException(String.join(" ", command) + " failed: " + output);
			}
			return output;
		}
		catch (IOException ex) {
			throw new UncheckedIOException(ex);
		}
		catch (InterruptedException ex) {
			Thread.currentThread().interrupt();
			throw new IllegalStateException(ex);
		}
	}

	private String log() {
		try {
			return Files.readString(this.directory.resolve("log"));
		}
		catch (IOException ex) {
			return "no log: " + ex;
		}
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

}
