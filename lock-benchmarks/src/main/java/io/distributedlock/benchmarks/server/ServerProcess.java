package io.distributedlock.benchmarks.server;

import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.stream.Stream;

/**
 * A server in a process and a directory of its own, both of which end with it.
 */
final class ServerProcess implements AutoCloseable {

	private static final Duration LONGEST_START = Duration.ofSeconds(20);

	private static final long PAUSE = TimeUnit.MILLISECONDS.toNanos(20);

	private final Process process;

	private final Path directory;

	private ServerProcess(Process process, Path directory) {
		this.process = process;
		this.directory = directory;
	}

	/**
	 * Starts a process.
	 * @param directory its directory, where its output goes too
	 * @param command what to run
	 * @param ready tells whether it answers
	 */
	static ServerProcess start(Path directory, List<String> command, BooleanSupplier ready) {
		ServerProcess server;
		try {
			server = new ServerProcess(
					new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(log(directory)).start(),
					directory);
		}
		catch (IOException ex) {
			throw new UncheckedIOException(command.get(0) + " did not start", ex);
		}
		try {
			server.await(command.get(0), ready);
			return server;
		}
		catch (RuntimeException ex) {
			server.close();
			throw ex;
		}
	}

	private void await(String name, BooleanSupplier ready) {
		long end = System.nanoTime() + LONGEST_START.toNanos();
		while (!ready.getAsBoolean()) {
			if (!this.process.isAlive() || System.nanoTime() > end) {
				throw new IllegalStateException(name + " does not answer. It says: " + output());
			}
			LockSupport.parkNanos(PAUSE);
		}
	}

	private String output() {
		try {
			return Files.readString(log(this.directory).toPath());
		}
		catch (IOException ex) {
			return "(unreadable: " + ex + ")";
		}
	}

	private static File log(Path directory) {
		return directory.resolve("output").toFile();
	}

	static Path newDirectory(String name) {
		try {
			return Files.createTempDirectory("lock-bench-" + name + "-");
		}
		catch (IOException ex) {
			throw new UncheckedIOException(ex);
		}
	}

	static int freePort() {
		try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
			return socket.getLocalPort();
		}
		catch (IOException ex) {
			throw new UncheckedIOException(ex);
		}
	}

	/** Returns the processor time that it has used so far. */
	double cpuMicros() {
		return this.process.info().totalCpuDuration().orElse(Duration.ZERO).toNanos() / 1e3;
	}

	@Override
	public void close() {
		this.process.destroyForcibly().onExit().join();
		try (Stream<Path> files = Files.walk(this.directory)) {
			for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
				Files.deleteIfExists(file);
			}
		}
		catch (IOException ex) {
			throw new UncheckedIOException(ex);
		}
	}

}
