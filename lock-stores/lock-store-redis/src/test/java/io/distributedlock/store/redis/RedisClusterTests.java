package io.distributedlock.store.redis;

import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ForkJoinPool;
import java.util.stream.IntStream;

import io.lettuce.core.cluster.SlotHash;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import io.distributedlock.LockKey;
import io.distributedlock.spi.AcquireCommand;
import io.distributedlock.spi.AcquireReply.Granted;
import io.distributedlock.spi.AcquireReply.Refused;
import io.distributedlock.spi.AttemptId;
import io.distributedlock.spi.ReleaseReply;
import io.distributedlock.spi.RenewCommand;
import io.distributedlock.spi.RenewReply;
import io.distributedlock.store.redis.server.RedisClusterGroup;
import io.distributedlock.store.redis.server.RedisGroup;
import io.distributedlock.store.redis.server.RedisServerProcess;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

/**
 * Three primaries with a replica each.
 */
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class RedisClusterTests {

	private static RedisClusterGroup redis;

	@BeforeAll
	static void start() {
		redis = RedisClusterGroup.start();
	}

	@AfterAll
	static void stop() {
		redis.close();
	}

	private static StoreFixture connect(String client) {
		return StoreFixture.of(redis.connections(client));
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
	@Order(1)
	void theStoreOpensAlsoWhileTheApplicationBlocksTheCommonPool() {
		CountDownLatch done = new CountDownLatch(1);
		for (int i = 0; i < ForkJoinPool.getCommonPoolParallelism(); i++) {
			ForkJoinPool.commonPool().execute(() -> await().forever().until(() -> done.getCount() == 0));
		}
		try (StoreFixture one = connect("lettuce")) {
			AttemptId attempt = AttemptId.random();
			assertThat(one.acquire(LockKey.of("pool"), attempt)).isInstanceOf(Granted.class);
			one.release(LockKey.of("pool"), attempt);
		}
		finally {
			done.countDown();
		}
	}

	@ParameterizedTest
	@Order(2)
	@ValueSource(strings = { "lettuce", "jedis" })
	void eachPrimaryIsWaitedForAsItsOwnReplicasDemand(String client) {
		RedisServerProcess moved = redis.nodes().get(5);
		moved.command("CLUSTER", "REPLICATE", RedisClusterGroup.id(redis.nodes().get(1)));
		RedisGroup.awaitFollowers(redis.nodes().get(1), 2);
		try (RedisLockStore store = RedisLockStore.builder(redis.connections(client))
			.waitForAllReplicas()
			.replicaTimeout(Duration.ofSeconds(9))
			.commandTimeout(Duration.ofSeconds(10))
			.build()) {
			for (int i = 0; i < 2; i++) {
				grant(store, 1, client + i);
				long start = System.nanoTime();
				grant(store, 0, client + i);
				// With two, WAIT would last for as long as it may.
				assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(Duration.ofSeconds(8));
			}
		}
		moved.command("CLUSTER", "REPLICATE", RedisClusterGroup.id(redis.nodes().get(2)));
		RedisGroup.awaitFollowers(redis.nodes().get(2), 1);
	}

	private static void grant(RedisLockStore store, int primary, String name) {
		KeyLayout layout = new KeyLayout("lock:", true);
		LockKey key = IntStream.range(0, 10_000)
			.mapToObj((i) -> LockKey.of(name, i))
			.filter((candidate) -> SlotHash.getSlot(layout.record(candidate.id())) / 5461 == primary)
			.findFirst()
			.orElseThrow();
		assertThat(StoreFixture.get(store.acquire(
				new AcquireCommand(key, AttemptId.random(), Duration.ofSeconds(30), 1, false, Duration.ofSeconds(10)))))
			.isInstanceOf(Granted.class);
	}

	@Test
	@Order(3)
	void locksWorkAgainAfterAPrimaryDied() {
		try (StoreFixture one = connect("lettuce").awaitSignals("one")) {
			List<LockKey> keys = new ArrayList<>();
			for (int i = 0; i < 30; i++) {
				keys.add(LockKey.of("failover", i));
				one.acquire(keys.get(i), AttemptId.random());
			}
			redis.nodes().get(0).kill();
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
