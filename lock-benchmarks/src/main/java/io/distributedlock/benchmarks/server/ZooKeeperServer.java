package io.distributedlock.benchmarks.server;

import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

import io.distributedlock.benchmarks.peer.Address;
import org.apache.zookeeper.KeeperException;
import org.apache.zookeeper.ZKUtil;
import org.apache.zookeeper.ZooKeeper;
import org.apache.zookeeper.server.ZooKeeperServerMain;

/**
 * One node of ZooKeeper in a JVM of its own, that writes to disk as it does by default.
 */
public final class ZooKeeperServer implements BenchServer {

	private static final String CONFIGURATION = """
			tickTime=2000
			dataDir=%s
			clientPort=%d
			clientPortAddress=127.0.0.1
			admin.enableServer=false
			4lw.commands.whitelist=mntr,srvr
			""";

	private static final int TIMEOUT_MILLIS = 10_000;

	private static final int SESSION_MILLIS = 30_000;

	private static final Pattern REQUESTS = Pattern.compile("(?m)^zk_packets_received\\s+(\\d+)");

	private static final Pattern SYNCS = Pattern.compile("(?m)^zk_cnt_fsynctime\\s+(\\d+)");

	private static final Pattern VERSION = Pattern.compile("(?m)^Zookeeper version: ([0-9.]+)");

	private final Address address;

	private final ServerProcess process;

	private final ZooKeeper client;

	private long pings;

	private ZooKeeperServer(Address address, ServerProcess process) throws IOException {
		this.address = address;
		this.process = process;
		this.client = new ZooKeeper(address.toString(), SESSION_MILLIS, (event) -> {
		});
	}

	/**
	 * Starts a server on loopback and a free port.
	 * @return the server
	 */
	public static ZooKeeperServer start() {
		Address address = new Address("127.0.0.1", ServerProcess.freePort());
		Path directory = ServerProcess.newDirectory("zookeeper");
		Path configuration = directory.resolve("zoo.cfg");
		try {
			Files.writeString(configuration, CONFIGURATION.formatted(directory.resolve("data"), address.port()));
			ServerProcess process = ServerProcess.start(directory,
					List.of(Path.of(System.getProperty("java.home"), "bin", "java").toString(), "-Xmx512m", "-cp",
							classPath(), ZooKeeperServerMain.class.getName(), configuration.toString()),
					() -> isReady(address));
			return new ZooKeeperServer(address, process);
		}
		catch (IOException ex) {
			throw new UncheckedIOException("ZooKeeper did not start", ex);
		}
	}

	private static String classPath() {
		return Arrays.stream(System.getProperty("java.class.path").split(File.pathSeparator))
			.map((entry) -> entry.endsWith("*") ? entry : Path.of(entry).toAbsolutePath().toString())
			.collect(Collectors.joining(File.pathSeparator));
	}

	private static boolean isReady(Address address) {
		try {
			return ask(address, "srvr").contains("Mode: standalone");
		}
		catch (IOException ex) {
			return false;
		}
	}

	/** Sends one of the words that the server answers to without a session. */
	private static String ask(Address address, String word) throws IOException {
		try (Socket socket = new Socket(address.host(), address.port())) {
			socket.setSoTimeout(TIMEOUT_MILLIS);
			socket.getOutputStream().write(word.getBytes(StandardCharsets.US_ASCII));
			return new String(socket.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
		}
	}

	private String ask(String word) {
		try {
			return ask(this.address, word);
		}
		catch (IOException ex) {
			throw new UncheckedIOException("ZooKeeper at " + this.address + " failed", ex);
		}
	}

	@Override
	public Address address() {
		return this.address;
	}

	@Override
	public String version() {
		Matcher matcher = VERSION.matcher(ask("srvr"));
		return "ZooKeeper " + (matcher.find() ? matcher.group(1) : "of unknown version");
	}

	@Override
	public void clear() {
		try {
			for (String child : this.client.getChildren("/", false)) {
				if (!child.equals("zookeeper")) {
					ZKUtil.deleteRecursive(this.client, "/" + child);
				}
			}
		}
		catch (KeeperException ex) {
			throw new IllegalStateException(ex);
		}
		catch (InterruptedException ex) {
			Thread.currentThread().interrupt();
			throw new IllegalStateException(ex);
		}
	}

	@Override
	public Counters counters() {
		String figures = ask("mntr");
		return new Counters(find(REQUESTS, figures) - this.pings, Double.NaN, this.process.cpuMicros(),
				find(SYNCS, figures));
	}

	private static long find(Pattern pattern, String figures) {
		Matcher matcher = pattern.matcher(figures);
		if (!matcher.find()) {
			throw new IllegalStateException("ZooKeeper does not tell " + pattern);
		}
		return Long.parseLong(matcher.group(1));
	}

	@Override
	public long ping() {
		long start = System.nanoTime();
		try {
			this.client.exists("/", false);
		}
		catch (KeeperException ex) {
			throw new IllegalStateException(ex);
		}
		catch (InterruptedException ex) {
			Thread.currentThread().interrupt();
			throw new IllegalStateException(ex);
		}
		this.pings++;
		return System.nanoTime() - start;
	}

	@Override
	public void close() {
		try {
			this.client.close();
		}
		catch (InterruptedException ex) {
			Thread.currentThread().interrupt();
		}
		finally {
			this.process.close();
		}
	}

}
