package io.distributedlock.benchmarks.server;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

import io.distributedlock.benchmarks.peer.Address;
import io.distributedlock.store.redis.server.RedisServerProcess;
import org.jspecify.annotations.Nullable;

/**
 * Redis: one that is started here, without persistence and empty before every run, or one
 * that is given by its address and never emptied.
 */
public final class RedisServer implements BenchServer {

	private static final Pattern COMMAND = Pattern.compile("cmdstat_([^:]+):calls=(\\d+),usec=(\\d+)");

	private static final Pattern CPU = Pattern.compile("(?m)^used_cpu_(?:user|sys):([0-9.]+)");

	private static final Pattern VERSION = Pattern.compile("(?m)^redis_version:(\\S+)");

	private final Address address;

	private final @Nullable RedisServerProcess process;

	private final RedisConnection connection;

	private CommandSample sample = new CommandSample();

	private long pings;

	private RedisServer(Address address, @Nullable RedisServerProcess process) {
		this.address = address;
		this.process = process;
		try {
			this.connection = new RedisConnection(address);
		}
		catch (IOException ex) {
			throw new UncheckedIOException("No connection to Redis at " + address, ex);
		}
	}

	/**
	 * Starts a server on loopback and a free port.
	 * @return the server
	 */
	public static RedisServer start() {
		return start(new String[0]);
	}

	static RedisServer start(String... arguments) {
		RedisServerProcess process = RedisServerProcess.start(arguments);
		return new RedisServer(new Address("127.0.0.1", process.port()), process);
	}

	/**
	 * Uses a server that runs.
	 * @param address where it listens
	 * @return the server
	 */
	public static RedisServer at(Address address) {
		return new RedisServer(address, null);
	}

	@Override
	public Address address() {
		return this.address;
	}

	@Override
	public String version() {
		Matcher matcher = VERSION.matcher(command("INFO", "server"));
		return "Redis " + (matcher.find() ? matcher.group(1) : "of unknown version");
	}

	@Override
	public void clear() {
		if (this.process != null) {
			command("FLUSHALL");
		}
	}

	@Override
	public void learn() {
		try {
			this.sample = CommandSample.take(this.address, Duration.ofMillis(LEARNING_MILLIS));
		}
		catch (IOException ex) {
			throw new UncheckedIOException("Redis at " + this.address + " failed", ex);
		}
	}

	boolean hasReplica() {
		return command("INFO", "replication").contains("state=online");
	}

	/** Takes what another server with the same clients has learned. */
	void learnFrom(RedisServer other) {
		this.sample = other.sample;
	}

	@Override
	public Counters counters() {
		long commands = -this.pings;
		double micros = 0;
		Matcher command = COMMAND.matcher(command("INFO", "commandstats"));
		while (command.find()) {
			// Nobody but us asks for INFO during a run.
			if (!command.group(1).equals("info")) {
				commands += Long.parseLong(command.group(2));
				micros += Double.parseDouble(command.group(3)) * this.sample.sentByClients(command.group(1));
			}
		}
		double cpuSeconds = 0;
		Matcher cpu = CPU.matcher(command("INFO", "cpu"));
		while (cpu.find()) {
			cpuSeconds += Double.parseDouble(cpu.group(1));
		}
		return new Counters(commands, micros, cpuSeconds * 1e6, 0);
	}

	@Override
	public long ping() {
		long start = System.nanoTime();
		command("PING");
		this.pings++;
		return System.nanoTime() - start;
	}

	private String command(String... words) {
		try {
			return this.connection.command(words);
		}
		catch (IOException ex) {
			throw new UncheckedIOException("Redis at " + this.address + " failed", ex);
		}
	}

	@Override
	public void close() {
		try {
			this.connection.close();
		}
		catch (IOException ex) {
			throw new UncheckedIOException(ex);
		}
		finally {
			if (this.process != null) {
				this.process.close();
			}
		}
	}

}
