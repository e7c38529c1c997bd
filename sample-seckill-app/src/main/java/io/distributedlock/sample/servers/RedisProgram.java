package io.distributedlock.sample.servers;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.net.ConnectException;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.List;

import redis.embedded.RedisExecProvider;

/**
 * Redis, from the static program in Signal's {@code embedded-redis}.
 */
final class RedisProgram implements ServerProgram {

	private static final Duration TIMEOUT = Duration.ofSeconds(2);

	private final String name;

	private final String portProperty;

	RedisProgram() {
		this("Redis", "seckill.servers.redis-port");
	}

	/**
	 * Makes one of several.
	 * @param name its name for messages
	 * @param portProperty the property that chooses its port
	 */
	RedisProgram(String name, String portProperty) {
		this.name = name;
		this.portProperty = portProperty;
	}

	@Override
	public String name() {
		return this.name;
	}

	@Override
	public String portProperty() {
		return this.portProperty;
	}

	@Override
	public Occupant occupant(ServerSite site) {
		try (Socket socket = site.connect(TIMEOUT)) {
			Conversation redis = new Conversation(socket);
			// An open Redis is a stranger, and must not be told the password.
			if (!redis.ask("PING").startsWith("-NOAUTH")) {
				return Occupant.STRANGER;
			}
			return redis.ask("AUTH " + site.password()).equals("+OK") ? Occupant.OURS : Occupant.STRANGER;
		}
		catch (ConnectException ex) {
			return Occupant.NOBODY;
		}
		catch (IOException ex) {
			return Occupant.STRANGER;
		}
	}

	@Override
	public void start(ServerSite site) throws IOException {
		Path program = unpack(site);
		Path log = site.file("redis.log");
		Files.deleteIfExists(log);
		// A lock is no data to be kept over a restart of the sample: nothing is saved.
		ServerSite.writePrivate(site.file("redis.conf"), """
				bind 127.0.0.1
				port %d
				requirepass %s
				dir "%s"
				logfile "%s"
				daemonize yes
				save ""
				appendonly no
				maxmemory-policy noeviction
				""".formatted(site.port(), site.password(), site.directory(), log));
		site.run(List.of(program.toString(), site.file("redis.conf").toString()));
		awaitReady(site, log);
	}

	private void awaitReady(ServerSite site, Path log) throws IOException {
		long start = System.nanoTime();
		while (occupant(site) != Occupant.OURS) {
			if (System.nanoTime() - start > Duration.ofSeconds(10).toNanos()) {
				throw new IOException("It does not answer: " + ServerSite.tail(log));
			}
			ServerSite.pause();
		}
	}

	private static Path unpack(ServerSite site) throws IOException {
		Path program = site.file("redis-server-" + RedisExecProvider.redisVersion);
		if (!Files.isExecutable(program)) {
			Path unpacked = RedisExecProvider.defaultProvider().get().toPath();
			Path draft = site.file("redis-server.draft");
			Files.copy(unpacked, draft, StandardCopyOption.REPLACE_EXISTING);
			if (!draft.toFile().setExecutable(true)) {
				throw new IOException(draft + " cannot be made executable.");
			}
			Files.move(draft, program, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
		}
		return program;
	}

	@Override
	public void stop(ServerSite site) throws IOException {
		try (Socket socket = site.connect(TIMEOUT)) {
			Conversation redis = new Conversation(socket);
			redis.ask("AUTH " + site.password());
			// Redis answers by closing the connection.
			String answer = redis.ask("SHUTDOWN NOSAVE");
			if (!answer.isEmpty()) {
				throw new IOException("It does not stop: " + answer);
			}
		}
	}

	/**
	 * Inline commands over a plain socket: the one client that needs no configuration.
	 */
	private static final class Conversation {

		private final OutputStream to;

		private final BufferedReader from;

		Conversation(Socket socket) throws IOException {
			this.to = socket.getOutputStream();
			this.from = new BufferedReader(new InputStreamReader(socket.getInputStream(), StandardCharsets.US_ASCII));
		}

		String ask(String command) throws IOException {
			this.to.write((command + "\r\n").getBytes(StandardCharsets.US_ASCII));
			this.to.flush();
			String answer = this.from.readLine();
			return (answer != null) ? answer : "";
		}

	}

}
