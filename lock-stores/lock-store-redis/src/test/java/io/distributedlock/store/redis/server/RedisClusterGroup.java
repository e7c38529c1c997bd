package io.distributedlock.store.redis.server;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

import org.springframework.data.redis.connection.RedisClusterConfiguration;
import org.springframework.data.redis.connection.RedisConnectionFactory;
import org.springframework.data.redis.connection.jedis.JedisConnectionFactory;
import org.springframework.data.redis.connection.lettuce.LettuceConnectionFactory;

import static org.awaitility.Awaitility.await;

/**
 * A Cluster: three primaries with a replica each.
 */
public final class RedisClusterGroup implements AutoCloseable {

	private static final Duration LONG = Duration.ofSeconds(30);

	private static final int SHARDS = 3;

	private static final int SLOTS_OF_EACH = 5461;

	private static final int SLOTS = 16384;

	private final List<RedisServerProcess> nodes = new ArrayList<>();

	private RedisClusterGroup() {
	}

	/**
	 * Starts a Cluster whose nodes need a second to find another dead.
	 * @return the Cluster, with all slots served and all replicas online
	 */
	public static RedisClusterGroup start() {
		RedisClusterGroup group = new RedisClusterGroup();
		for (int i = 0; i < 2 * SHARDS; i++) {
			group.nodes.add(RedisServerProcess.start("--cluster-enabled", "yes", "--cluster-node-timeout", "1000",
					"--cluster-replica-validity-factor", "0", "--cluster-require-full-coverage", "no",
					"--repl-diskless-sync-delay", "0", "--repl-ping-replica-period", "1"));
		}
		group.join();
		return group;
	}

	private void join() {
		for (int i = 0; i < SHARDS; i++) {
			int last = (i == SHARDS - 1) ? SLOTS - 1 : (i + 1) * SLOTS_OF_EACH - 1;
			this.nodes.get(i)
				.command("CLUSTER", "ADDSLOTSRANGE", String.valueOf(i * SLOTS_OF_EACH), String.valueOf(last));
			this.nodes.get(i).command("CLUSTER", "SET-CONFIG-EPOCH", String.valueOf(i + 1));
		}
		// Each meets each: to hear of others by gossip takes seconds.
		for (int i = 1; i < 2 * SHARDS; i++) {
			for (RedisServerProcess other : this.nodes.subList(0, i)) {
				this.nodes.get(i).command("CLUSTER", "MEET", "127.0.0.1", String.valueOf(other.port()));
			}
		}
		await().atMost(LONG).until(() -> this.nodes.stream().allMatch((node) -> info(node).contains("known_nodes:6")));
		for (int i = 0; i < SHARDS; i++) {
			RedisServerProcess replica = this.nodes.get(SHARDS + i);
			String primary = id(this.nodes.get(i));
			await().until(() -> replica.command("CLUSTER", "REPLICATE", primary).equals("+OK"));
		}
		await().atMost(LONG).until(() -> this.nodes.stream().allMatch((node) -> info(node).contains("state:ok")));
		this.nodes.subList(0, SHARDS).forEach((primary) -> RedisGroup.awaitFollowers(primary, 1));
	}

	private static String info(RedisServerProcess node) {
		return node.command("CLUSTER", "INFO");
	}

	/**
	 * Returns a node's name in the Cluster.
	 * @param node the node
	 * @return its id
	 */
	public static String id(RedisServerProcess node) {
		return node.command("CLUSTER", "MYID");
	}

	/**
	 * Returns all nodes: the three that began as primaries, then their replicas in the
	 * same order.
	 * @return the nodes
	 */
	public List<RedisServerProcess> nodes() {
		return this.nodes;
	}

	/**
	 * Returns how an application reaches the Cluster.
	 * @param client {@code lettuce} or {@code jedis}
	 * @return a connection factory
	 */
	public RedisConnectionFactory connections(String client) {
		RedisClusterConfiguration cluster = new RedisClusterConfiguration();
		this.nodes.subList(0, SHARDS).forEach((node) -> cluster.clusterNode("127.0.0.1", node.port()));
		return client.equals("lettuce") ? new LettuceConnectionFactory(cluster) : new JedisConnectionFactory(cluster);
	}

	/**
	 * Moves a slot with all its keys while others use it, a few keys at a time.
	 * @param slot which slot
	 * @param from the primary that has it
	 * @param to the primary that gets it
	 */
	public void moveSlot(int slot, RedisServerProcess from, RedisServerProcess to) {
		String number = String.valueOf(slot);
		expectOk(to.command("CLUSTER", "SETSLOT", number, "IMPORTING", id(from)));
		expectOk(from.command("CLUSTER", "SETSLOT", number, "MIGRATING", id(to)));
		List<String> keys = keysOf(from, number);
		while (!keys.isEmpty()) {
			List<String> migrate = new ArrayList<>(
					List.of("MIGRATE", "127.0.0.1", String.valueOf(to.port()), "", "0", "5000", "KEYS"));
			// One at a time, so that there are moments at which a lock has keys on both.
			migrate.add(keys.get(0));
			String said = from.command(migrate.toArray(String[]::new));
			if (!said.equals("+NOKEY")) {
				expectOk(said);
			}
			keys = keysOf(from, number);
		}
		expectOk(to.command("CLUSTER", "SETSLOT", number, "NODE", id(to)));
		expectOk(from.command("CLUSTER", "SETSLOT", number, "NODE", id(to)));
	}

	private static List<String> keysOf(RedisServerProcess node, String slot) {
		String keys = node.command("CLUSTER", "GETKEYSINSLOT", slot, "10");
		return keys.isEmpty() ? List.of() : List.of(keys.split("\n"));
	}

	private static void expectOk(String said) {
		if (!said.equals("+OK")) {
			throw new IllegalStateException(said);
		}
	}

	/**
	 * Waits until a node that was a replica has become a primary.
	 * @param replica the node
	 */
	public void awaitPromotion(RedisServerProcess replica) {
		await().atMost(LONG)
			.ignoreExceptions()
			.until(() -> replica.command("INFO", "replication").contains("role:master")
					&& info(replica).contains("state:ok"));
	}

	@Override
	public void close() {
		this.nodes.forEach(RedisServerProcess::close);
	}

}
