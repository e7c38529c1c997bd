package io.distributedlock.store.redis;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.stream.IntStream;

import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

import io.lettuce.core.cluster.SlotHash;

import io.distributedlock.Lease;
import io.distributedlock.LockKey;
import io.distributedlock.LockNotAcquiredException;
import io.distributedlock.LockRequest;
import io.distributedlock.LockSettings;
import io.distributedlock.LockStoreException;
import io.distributedlock.engine.LockEngine;
import io.distributedlock.spi.AcquireCommand;
import io.distributedlock.spi.AttemptId;
import io.distributedlock.spi.StoreException;
import io.distributedlock.store.redis.server.RedisClusterGroup;
import io.distributedlock.store.redis.server.RedisServerProcess;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.awaitility.Awaitility.await;

/**
 * A Cluster whose primaries die while it is used.
 */
class RedisClusterFaultTests {

	private static final KeyLayout LAYOUT = new KeyLayout("lock:", true);

	private static final List<String> CLIENTS = List.of("lettuce", "jedis");

	private static final Duration LONG = Duration.ofSeconds(30);

	private static final Duration PATIENCE = Duration.ofSeconds(5);

	private static RedisClusterGroup redis;

	private final List<LockEngine> engines = new ArrayList<>();

	@BeforeAll
	static void start() {
		redis = RedisClusterGroup.start();
	}

	@AfterEach
	void close() {
		this.engines.forEach(LockEngine::close);
	}

	@AfterAll
	static void stop() {
		redis.close();
	}

	private List<LockEngine> engines(boolean allReplicas) {
		List<LockEngine> opened = new ArrayList<>();
		for (String client : CLIENTS) {
			opened.add(LockEngine.builder().store(open(client, allReplicas)).build());
		}
		this.engines.addAll(opened);
		return opened;
	}

	/**
	 * The first connection of a JVM may take its time on a busy machine.
	 */
	private static RedisLockStore open(String client, boolean allReplicas) {
		RedisLockStore.Builder store = RedisLockStore.builder(redis.connections(client));
		if (allReplicas) {
			store.waitForAllReplicas();
		}
		return await().atMost(LONG).ignoreExceptions().until(store::build, Objects::nonNull);
	}

	private static LockRequest request(LockKey key, Duration waitTime) {
		return LockRequest.of(key, LockSettings.NONE).withWaitTime(waitTime);
	}

	private static int slot(LockKey key) {
		return SlotHash.getSlot(LAYOUT.record(key.id()));
	}

	/**
	 * Finds a lock whose slot one of the three first primaries has.
	 */
	private static LockKey keyOf(int primary, String name) {
		return IntStream.range(0, 10_000)
			.mapToObj((i) -> LockKey.of(name, i))
			.filter((key) -> slot(key) / 5461 == primary)
			.findFirst()
			.orElseThrow();
	}

	@Test
	void aDeadPrimaryStopsItsOwnKeysOnlyUntilItsReplicaTakesOver() {
		List<LockEngine> ones = engines(false);
		List<LockEngine> twos = engines(false);
		LockKey elsewhere = keyOf(1, "alive");
		List<Lease> held = new ArrayList<>();
		for (int i = 0; i < CLIENTS.size(); i++) {
			held.add(ones.get(i)
				.acquire(request(keyOf(0, "dead-" + CLIENTS.get(i)), PATIENCE).withTtl(Duration.ofSeconds(20))));
		}
		Lease other = ones.get(0).acquire(request(elsewhere, PATIENCE));
		long tokenBefore = other.fencingToken();
		other.release();
		redis.nodes().get(0).kill();
		// Both at once, since there is not much time until the promotion.
		twos.parallelStream()
			.forEach((two) -> assertThatExceptionOfType(LockStoreException.class)
				.isThrownBy(() -> two.acquire(request(keyOf(0, "dead-too"), Duration.ZERO))));
		for (LockEngine two : twos) {
			for (int i = 0; i < 10; i++) {
				Lease lease = two.acquire(request(elsewhere, Duration.ofSeconds(2)));
				assertThat(lease.fencingToken()).isGreaterThan(tokenBefore);
				lease.release();
			}
		}
		for (int i = 0; i < CLIENTS.size(); i++) {
			LockEngine two = twos.get(i);
			Lease mine = held.get(i);
			two.acquire(request(keyOf(0, "dead-too"), LONG)).release();
			assertThat(mine.isHeld()).isTrue();
			assertThatExceptionOfType(LockNotAcquiredException.class)
				.isThrownBy(() -> two.acquire(request(mine.key(), Duration.ZERO)));
			assertThat(mine.release()).isTrue();
			Lease next = two.acquire(request(mine.key(), Duration.ofSeconds(5)));
			assertThat(next.fencingToken()).isGreaterThan(mine.fencingToken());
			next.release();
		}
	}

	@Test
	void withAllReplicasAShardWorksAgainWhenItHasAReplicaAgain() {
		List<LockEngine> ones = engines(true);
		List<RedisLockStore> idle = CLIENTS.stream().map((client) -> open(client, true)).toList();
		LockKey there = keyOf(2, "dead");
		LockKey elsewhere = keyOf(1, "alive");
		ones.forEach((one) -> one.acquire(request(there, LONG)).release());
		RedisServerProcess dead = redis.nodes().get(2);
		dead.kill();
		redis.awaitPromotion(redis.nodes().get(5));
		for (int i = 0; i < CLIENTS.size(); i++) {
			// A record that replicas lack stays until its attempt is abandoned.
			LockKey own = keyOf(2, "idle-" + CLIENTS.get(i));
			try (RedisLockStore store = idle.get(i)) {
				assertThatExceptionOfType(StoreException.class)
					.isThrownBy(() -> StoreFixture.get(store
						.acquire(new AcquireCommand(own, AttemptId.random(), StoreFixture.TTL, 1, false, PATIENCE))))
					.as("A call that finds no connection is sent to the primary that its slot has now")
					.withMessageContaining("Only 0 of 1");
			}
		}
		for (LockEngine one : ones) {
			// Until the client has learnt of the promotion, the reason is another one.
			await().atMost(LONG)
				.untilAsserted(() -> assertThatExceptionOfType(LockStoreException.class)
					.isThrownBy(() -> one.acquire(request(there, Duration.ZERO)))
					.withMessageContaining("Only 0 of 1"));
			one.acquire(request(elsewhere, PATIENCE)).release();
		}
		dead.restart();
		ones.forEach((one) -> one.acquire(request(there, LONG)).release());
	}

}
