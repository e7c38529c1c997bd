package io.distributedlock.store.redis;

import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.data.redis.connection.RedisClusterConfiguration;
import org.springframework.data.redis.connection.RedisConnectionFactory;
import org.springframework.data.redis.connection.jedis.JedisConnectionFactory;
import org.springframework.data.redis.connection.lettuce.LettuceConnectionFactory;

import io.distributedlock.LockKey;
import io.distributedlock.spi.AcquireReply.Granted;
import io.distributedlock.spi.AcquireReply.Refused;
import io.distributedlock.spi.AttemptId;
import io.distributedlock.spi.ReleaseReply;
import io.distributedlock.spi.RenewCommand;
import io.distributedlock.spi.RenewReply;
import io.distributedlock.store.redis.server.RedisServerProcess;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

/**
 * Three primaries with a replica each.
 */
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class RedisClusterTests {

	private static final List<RedisServerProcess> nodes = new ArrayList<>();

	@BeforeAll
	static void start() {
		for (int i = 0; i < 6; i++) {
			nodes.add(RedisServerProcess.start("--cluster-enabled", "yes", "--cluster-node-timeout", "1000",
					"--cluster-replica-validity-factor", "0", "--appendonly", "no"));
		}
		for (int i = 0; i < 3; i++) {
			nodes.get(i)
				.command("CLUSTER", "ADDSLOTSRANGE", String.valueOf(i * 5461),
						String.valueOf((i == 2) ? 16383 : (i + 1) * 5461 - 1));
			nodes.get(i).command("CLUSTER", "SET-CONFIG-EPOCH", String.valueOf(i + 1));
		}
		for (RedisServerProcess node : nodes.subList(1, 6)) {
			node.command("CLUSTER", "MEET", "127.0.0.1", String.valueOf(nodes.get(0).port()));
		}
		await().atMost(Duration.ofSeconds(20))
			.until(() -> nodes.stream().allMatch((node) -> info(node).contains("cluster_known_nodes:6")));
		for (int i = 0; i < 3; i++) {
			RedisServerProcess replica = nodes.get(3 + i);
			String primary = nodes.get(i).command("CLUSTER", "MYID");
			await().until(() -> replica.command("CLUSTER", "REPLICATE", primary).equals("+OK"));
		}
		await().atMost(Duration.ofSeconds(20))
			.until(() -> nodes.stream().allMatch((node) -> info(node).contains("cluster_state:ok")));
		await().atMost(Duration.ofSeconds(20))
			.until(() -> nodes.subList(0, 3)
				.stream()
				.allMatch((node) -> node.command("INFO", "replication").contains("state=online")));
	}

	private static String info(RedisServerProcess node) {
		return node.command("CLUSTER", "INFO");
	}

	@AfterAll
	static void stop() {
		nodes.forEach(RedisServerProcess::close);
	}

	private static StoreFixture connect(String client) {
		RedisClusterConfiguration cluster = new RedisClusterConfiguration();
		nodes.subList(0, 3).forEach((node) -> cluster.clusterNode("127.0.0.1", node.port()));
		RedisConnectionFactory factory = client.equals("lettuce") ? new LettuceConnectionFactory(cluster)
				: new JedisConnectionFactory(cluster);
		return StoreFixture.of(factory);
	}

	@ParameterizedTest
	@Order(1)
	@ValueSource(strings = { "lettuce", "jedis" })
	void locksOfAllSlotsAreHeldRenewedAndReleased(String client) {
		try (StoreFixture one = connect(client)) {
			assertThat(one.store.check()).isEmpty();
			List<RenewCommand> renewals = new ArrayList<>();
			Set<Integer> buckets = new HashSet<>();
			for (int i = 0; i < 100; i++) {
				LockKey key = LockKey.of("slot-" + client, i);
				AttemptId attempt = AttemptId.random();
				assertThat(one.acquire(key, attempt)).isInstanceOf(Granted.class);
				renewals.add(new RenewCommand(key, attempt, StoreFixture.TTL, StoreFixture.TIMEOUT));
				buckets.add(new KeyLayout("lock:", true).bucket(key.id()));
			}
			assertThat(buckets).hasSizeGreaterThan(80);
			assertThat(StoreFixture.get(one.store.renew(renewals))).containsOnly(RenewReply.RENEWED);
			for (RenewCommand renewal : renewals) {
				assertThat(one.release(renewal.key(), renewal.attempt())).isInstanceOf(ReleaseReply.Released.class);
			}
		}
	}

	@ParameterizedTest
	@Order(1)
	@ValueSource(strings = { "lettuce", "jedis" })
	void lockIsHandedToTheNextInstanceOnAnyNode(String client) {
		try (StoreFixture one = connect(client).awaitSignals("one");
				StoreFixture two = connect(client).awaitSignals("two")) {
			for (int i = 0; i < 10; i++) {
				LockKey key = LockKey.of("handoff-" + client, i);
				AttemptId a = AttemptId.random();
				AttemptId b = AttemptId.random();
				one.acquire(key, a);
				assertThat(((Refused) two.enqueue(key, b)).queued()).isTrue();
				assertThat(one.release(key, a)).isEqualTo(new ReleaseReply.Released(true));
				await().until(() -> two.reserved.contains(b));
				assertThat(two.acquireAgain(key, b)).isInstanceOf(Granted.class);
				two.release(key, b);
			}
		}
	}

	@Test
	@Order(2)
	void locksWorkAgainAfterAPrimaryDied() {
		try (StoreFixture one = connect("lettuce").awaitSignals("one")) {
			List<LockKey> keys = new ArrayList<>();
			for (int i = 0; i < 30; i++) {
				keys.add(LockKey.of("failover", i));
				one.acquire(keys.get(i), AttemptId.random());
			}
			nodes.get(0).kill();
			for (LockKey key : keys) {
				LockKey again = LockKey.of("after-" + key.name(), key.parts().get(0));
				await().atMost(Duration.ofSeconds(30))
					.ignoreExceptions()
					.until(() -> one.acquire(again, AttemptId.random()) instanceof Granted);
			}
			one.awaitSignals("after");
		}
	}

}
