package io.distributedlock.store.redis;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import io.lettuce.core.cluster.SlotHash;

import io.distributedlock.Lease;
import io.distributedlock.LockKey;
import io.distributedlock.LockNotAcquiredException;
import io.distributedlock.LockRequest;
import io.distributedlock.LockSettings;
import io.distributedlock.LockStoreException;
import io.distributedlock.engine.LockEngine;
import io.distributedlock.store.redis.server.RedisClusterGroup;
import io.distributedlock.store.redis.server.RedisServerProcess;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

/**
 * A Cluster whose primaries die while it is used.
 */
class RedisClusterFaultTests {

	private static final KeyLayout LAYOUT = new KeyLayout("lock:", true);

	private final List<LockEngine> engines = new ArrayList<>();

	private RedisClusterGroup redis;

	@BeforeEach
	void start() {
		this.redis = RedisClusterGroup.start();
	}

	@AfterEach
	void stop() {
		this.engines.forEach(LockEngine::close);
		this.redis.close();
	}

	private LockEngine engine(String client, boolean allReplicas) {
		RedisLockStore.Builder store = RedisLockStore.builder(this.redis.connections(client));
		if (allReplicas) {
			store.waitForAllReplicas();
		}
		LockEngine engine = LockEngine.builder().store(store.build()).build();
		this.engines.add(engine);
		return engine;
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

	@ParameterizedTest
	@ValueSource(strings = { "lettuce", "jedis" })
	void aDeadPrimaryStopsItsOwnKeysOnlyUntilItsReplicaTakesOver(String client) {
		LockEngine one = engine(client, false);
		LockEngine two = engine(client, false);
		LockKey there = keyOf(0, "dead");
		LockKey elsewhere = keyOf(1, "alive");
		Lease held = one.acquire(request(there, Duration.ZERO).withTtl(Duration.ofSeconds(20)));
		Lease other = one.acquire(request(elsewhere, Duration.ZERO));
		long tokenBefore = other.fencingToken();
		other.release();
		this.redis.nodes().get(0).kill();
		assertThatExceptionOfType(LockStoreException.class)
			.isThrownBy(() -> two.acquire(request(keyOf(0, "dead-too"), Duration.ZERO)));
		for (int i = 0; i < 10; i++) {
			Lease lease = two.acquire(request(elsewhere, Duration.ofMillis(500)));
			assertThat(lease.fencingToken()).isGreaterThan(tokenBefore);
			lease.release();
		}
		two.acquire(request(keyOf(0, "dead-too"), Duration.ofSeconds(20))).release();
		assertThat(held.isHeld()).isTrue();
		assertThatExceptionOfType(LockNotAcquiredException.class)
			.isThrownBy(() -> two.acquire(request(there, Duration.ZERO)));
		assertThat(held.release()).isTrue();
		Lease next = two.acquire(request(there, Duration.ofSeconds(5)));
		assertThat(next.fencingToken()).isGreaterThan(held.fencingToken());
		next.release();
	}

	@ParameterizedTest
	@ValueSource(strings = { "lettuce", "jedis" })
	void withAllReplicasAShardWorksAgainWhenItHasAReplicaAgain(String client) {
		LockEngine one = engine(client, true);
		LockKey there = keyOf(0, "dead");
		LockKey elsewhere = keyOf(1, "alive");
		one.acquire(request(there, Duration.ZERO)).release();
		RedisServerProcess dead = this.redis.nodes().get(0);
		RedisServerProcess successor = this.redis.nodes().get(3);
		dead.kill();
		this.redis.awaitPromotion(successor);
		assertThatExceptionOfType(LockStoreException.class)
			.isThrownBy(() -> one.acquire(request(there, Duration.ofSeconds(3))))
			.withMessageContaining("Only 0 of 1");
		one.acquire(request(elsewhere, Duration.ofSeconds(2))).release();
		dead.restart();
		one.acquire(request(there, Duration.ofSeconds(30))).release();
	}

}
