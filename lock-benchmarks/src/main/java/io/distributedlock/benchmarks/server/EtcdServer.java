package io.distributedlock.benchmarks.server;

import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.HttpURLConnection;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

import io.distributedlock.benchmarks.peer.Address;
import org.jspecify.annotations.Nullable;

/**
 * One node of etcd, the program on the PATH, that writes to disk as it does by default.
 */
public final class EtcdServer implements BenchServer {

	// Messages of clients: requests, and each message on a stream.
	private static final Pattern REQUESTS = Pattern
		.compile("(?m)^grpc_server_msg_received_total\\{.*grpc_service=\"(?:etcdserver|v3)[^}]*} (\\S+)$");

	private static final Pattern SYNCS = Pattern.compile("(?m)^etcd_disk_wal_fsync_duration_seconds_count (\\S+)$");

	private static final Pattern VERSION = Pattern.compile("\"etcdserver\":\"([^\"]+)\"");

	// From the first possible key on, in Base64.
	private static final String EVERYTHING = "{\"key\":\"AA==\",\"range_end\":\"AA==\"}";

	private static final int TIMEOUT_MILLIS = 10_000;

	private final Address address;

	private final ServerProcess process;

	private EtcdServer(Address address, ServerProcess process) {
		this.address = address;
		this.process = process;
	}

	/**
	 * Finds the program.
	 * @return where it is, empty if it is not on the PATH
	 */
	public static Optional<Path> program() {
		return Arrays.stream(System.getenv().getOrDefault("PATH", "").split(File.pathSeparator))
			.map((directory) -> Path.of(directory, "etcd"))
			.filter(Files::isExecutable)
			.findFirst();
	}

	/**
	 * Starts a server on loopback and free ports.
	 * @return the server
	 */
	public static EtcdServer start() {
		Path program = program().orElseThrow(() -> new IllegalStateException("There is no etcd on the PATH."));
		Address address = new Address("127.0.0.1", ServerProcess.freePort());
		String clients = "http://" + address;
		String peers = "http://127.0.0.1:" + ServerProcess.freePort();
		Path directory = ServerProcess.newDirectory("etcd");
		ServerProcess process = ServerProcess.start(directory,
				List.of(program.toString(), "--name=bench", "--data-dir=" + directory.resolve("data"),
						"--listen-client-urls=" + clients, "--advertise-client-urls=" + clients,
						"--listen-peer-urls=" + peers, "--initial-advertise-peer-urls=" + peers,
						"--initial-cluster=bench=" + peers),
				() -> isHealthy(address));
		return new EtcdServer(address, process);
	}

	private static boolean isHealthy(Address address) {
		try {
			return ask(address, "/health", null).contains("true");
		}
		catch (IOException ex) {
			return false;
		}
	}

	private static String ask(Address address, String path, @Nullable String body) throws IOException {
		HttpURLConnection connection = (HttpURLConnection) URI.create("http://" + address + path)
			.toURL()
			.openConnection();
		connection.setConnectTimeout(TIMEOUT_MILLIS);
		connection.setReadTimeout(TIMEOUT_MILLIS);
		if (body != null) {
			connection.setDoOutput(true);
			connection.getOutputStream().write(body.getBytes(StandardCharsets.UTF_8));
		}
		// Read to its end, the connection is used again.
		try (InputStream in = connection.getInputStream()) {
			return new String(in.readAllBytes(), StandardCharsets.UTF_8);
		}
	}

	private String ask(String path, @Nullable String body) {
		try {
			return ask(this.address, path, body);
		}
		catch (IOException ex) {
			throw new UncheckedIOException("etcd at " + this.address + " failed", ex);
		}
	}

	@Override
	public Address address() {
		return this.address;
	}

	@Override
	public String version() {
		Matcher matcher = VERSION.matcher(ask("/version", null));
		return "etcd " + (matcher.find() ? matcher.group(1) : "of unknown version");
	}

	@Override
	public void clear() {
		ask("/v3/kv/deleterange", EVERYTHING);
	}

	@Override
	public Counters counters() {
		String metrics = ask("/metrics", null);
		return new Counters(sum(REQUESTS, metrics), Double.NaN, this.process.cpuMicros(), sum(SYNCS, metrics));
	}

	private static long sum(Pattern pattern, String metrics) {
		return pattern.matcher(metrics)
			.results()
			.mapToLong((result) -> (long) Double.parseDouble(result.group(1)))
			.sum();
	}

	@Override
	public long ping() {
		long start = System.nanoTime();
		ask("/version", null);
		return System.nanoTime() - start;
	}

	@Override
	public void close() {
		this.process.close();
	}

}
