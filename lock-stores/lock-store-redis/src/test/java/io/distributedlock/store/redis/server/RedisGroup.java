package io.distributedlock.store.redis.server;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

import org.springframework.data.redis.connection.RedisConnectionFactory;
import org.springframework.data.redis.connection.RedisSentinelConfiguration;
import org.springframework.data.redis.connection.RedisStandaloneConfiguration;
import org.springframework.data.redis.connection.jedis.JedisConnectionFactory;
import org.springframework.data.redis.connection.lettuce.LettuceConnectionFactory;

import static org.awaitility.Awaitility.await;

/**
 * A primary with its replicas, and the Sentinels that watch them if there are any.
 */
public final class RedisGroup implements AutoCloseable {

	private static final Duration LONG = Duration.ofSeconds(30);

	private static final int SENTINELS = 3;

	private final List<RedisServerProcess> servers = new ArrayList<>();

	private final List<RedisServerProcess> sentinels = new ArrayList<>();

	private final List<Path> files = new ArrayList<>();

	private RedisGroup(int replicas, String... arguments) {
		List<String> common = new ArrayList<>(
				List.of("--repl-diskless-sync-delay", "0", "--repl-ping-replica-period", "1"));
		common.addAll(List.of(arguments));
		this.servers.add(RedisServerProcess.start(common.toArray(String[]::new)));
		common.addAll(List.of("--replicaof", "127.0.0.1 " + this.servers.get(0).port()));
		for (int i = 0; i < replicas; i++) {
			this.servers.add(RedisServerProcess.start(common.toArray(String[]::new)));
		}
		awaitFollowers(this.servers.get(0), replicas);
	}

	/**
	 * Starts a primary with replicas.
	 * @param replicas how many
	 * @param arguments more arguments of each server
	 * @return the group, with all replicas online
	 */
	public static RedisGroup start(int replicas, String... arguments) {
		return new RedisGroup(replicas, arguments);
	}

	/**
	 * Starts a primary with replicas and three Sentinels that need a second to find a
	 * server dead.
	 * @param replicas how many
	 * @param arguments more arguments of each server
	 * @return the group, with all replicas online and known to the Sentinels
	 */
	public static RedisGroup startWithSentinels(int replicas, String... arguments) {
		RedisGroup group = new RedisGroup(replicas, arguments);
		List<Integer> ports = Stream.generate(RedisServerProcess::freePort).distinct().limit(SENTINELS).toList();
		for (int port : ports) {
			group.sentinels.add(RedisServerProcess.startSentinel(port, group.sentinelFile(port, ports)));
		}
		group.awaitSentinels(replicas);
		return group;
	}

	/**
	 * They are told of each other: to find out would take them seconds.
	 */
	private Path sentinelFile(int own, List<Integer> ports) {
		List<String> lines = new ArrayList<>(
				List.of("sentinel myid " + sentinelId(own), "sentinel monitor main 127.0.0.1 " + primary() + " 2",
						"sentinel down-after-milliseconds main 1000", "sentinel failover-timeout main 3000"));
		for (int port : ports) {
			if (port != own) {
				lines.add("sentinel known-sentinel main 127.0.0.1 " + port + " " + sentinelId(port));
			}
		}
		lines.add("");
		try {
			Path file = Files.createTempFile("sentinel-", ".conf");
			this.files.add(file);
			return Files.writeString(file, String.join("\n", lines));
		}
		catch (IOException ex) {
			throw new UncheckedIOException(ex);
		}
	}

	private static String sentinelId(int port) {
		return String.format("%040x", port);
	}

	private int primary() {
		return this.servers.get(0).port();
	}

	private void awaitSentinels(int replicas) {
		await().atMost(LONG)
			.until(() -> this.sentinels.stream()
				.map((sentinel) -> sentinel.command("INFO", "sentinel"))
				.allMatch((info) -> info.contains("slaves=" + replicas) && info.contains("sentinels=3")));
	}

	/**
	 * Waits until a number of replicas follow a server.
	 * @param primary which server
	 * @param replicas how many
	 */
	public static void awaitFollowers(RedisServerProcess primary, int replicas) {
		await().atMost(LONG).ignoreExceptions().until(() -> followers(primary) == replicas);
	}

	private static long followers(RedisServerProcess primary) {
		return primary.command("INFO", "replication").lines().filter(RedisGroup::follows).count();
	}

	/**
	 * A replica is called online before it has loaded its copy, but then has not
	 * acknowledged anything yet.
	 */
	private static boolean follows(String line) {
		return line.contains("state=online") && !line.contains("offset=0,");
	}

	/**
	 * Waits until the Sentinels call another server the primary, and this agrees.
	 * @param old the primary before
	 * @return the primary now
	 */
	public RedisServerProcess awaitPrimaryOtherThan(RedisServerProcess old) {
		return await().atMost(LONG)
			.ignoreExceptions()
			.until(this::primaryOfSentinels,
					(now) -> now != old && now.command("INFO", "replication").contains("role:master"));
	}

	/**
	 * Tells whether all Sentinels see a healthy group, so that they are ready for the
	 * next failover.
	 * @param primary the primary
	 * @param replicas how many replicas it has
	 * @return whether they do
	 */
	public boolean isHealthy(RedisServerProcess primary, int replicas) {
		return followers(primary) == replicas
				&& this.sentinels.stream().allMatch((sentinel) -> agrees(sentinel, primary, replicas));
	}

	private static boolean agrees(RedisServerProcess sentinel, RedisServerProcess primary, int replicas) {
		String known = sentinel.command("SENTINEL", "REPLICAS", "main");
		return sentinel.command("SENTINEL", "GET-MASTER-ADDR-BY-NAME", "main").endsWith("\n" + primary.port())
				&& known.split("\nmaster-link-status\nok", -1).length - 1 == replicas
				&& known.split("\nflags\nslave\n", -1).length - 1 == replicas
				&& sentinel.command("INFO", "sentinel").contains("status=ok");
	}

	/**
	 * Asks the Sentinels who is the primary.
	 * @return the server that the first of them names
	 */
	public RedisServerProcess primaryOfSentinels() {
		String address = this.sentinels.get(0).command("SENTINEL", "GET-MASTER-ADDR-BY-NAME", "main");
		int port = Integer.parseInt(address.substring(address.lastIndexOf('\n') + 1));
		return this.servers.stream().filter((server) -> server.port() == port).findFirst().orElseThrow();
	}

	/**
	 * Returns all servers, the first primary first.
	 * @return the servers
	 */
	public List<RedisServerProcess> servers() {
		return this.servers;
	}

	/**
	 * Returns how an application reaches the first primary.
	 * @param client {@code lettuce} or {@code jedis}
	 * @return a connection factory
	 */
	public RedisConnectionFactory standalone(String client) {
		RedisStandaloneConfiguration server = new RedisStandaloneConfiguration("127.0.0.1", this.servers.get(0).port());
		return client.equals("jedis") ? new JedisConnectionFactory(server) : new LettuceConnectionFactory(server);
	}

	/**
	 * Returns how an application reaches the primary that the Sentinels name.
	 * @param client {@code lettuce} or {@code jedis}
	 * @return a connection factory
	 */
	public RedisConnectionFactory behindSentinels(String client) {
		RedisSentinelConfiguration configuration = new RedisSentinelConfiguration().master("main");
		this.sentinels.forEach((sentinel) -> configuration.sentinel("127.0.0.1", sentinel.port()));
		return client.equals("jedis") ? new JedisConnectionFactory(configuration)
				: new LettuceConnectionFactory(configuration);
	}

	@Override
	public void close() {
		this.sentinels.forEach(RedisServerProcess::close);
		this.servers.forEach(RedisServerProcess::close);
		for (Path file : this.files) {
			try {
				Files.deleteIfExists(file);
			}
			catch (IOException ex) {
				throw new UncheckedIOException(ex);
			}
		}
	}

}
