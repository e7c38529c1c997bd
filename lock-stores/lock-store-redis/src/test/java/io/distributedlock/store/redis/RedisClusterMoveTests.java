package io.distributedlock.store.redis;

import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;

import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import io.lettuce.core.cluster.SlotHash;

import io.distributedlock.Lease;
import io.distributedlock.LockKey;
import io.distributedlock.LockNotAcquiredException;
import io.distributedlock.LockRequest;
import io.distributedlock.LockSettings;
import io.distributedlock.engine.LockEngine;
import io.distributedlock.store.redis.server.RedisClusterGroup;
import io.distributedlock.store.redis.server.RedisServerProcess;
import io.distributedlock.test.FuzzCounter;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.awaitility.Awaitility.await;

/**
 * A Cluster whose slots move while it is used.
 */
class RedisClusterMoveTests {

	private static final KeyLayout LAYOUT = new KeyLayout("lock:", true);

	/** Three times round, so that the slot is back where it was. */
	private static final int MOVES = 9;

	private static RedisClusterGroup redis;

	private final List<LockEngine> engines = new ArrayList<>();

	@BeforeAll
	static void start() {
		redis = RedisClusterGroup.start();
	}

	@AfterEach
	void closeEngines() {
		this.engines.forEach(LockEngine::close);
	}

	@AfterAll
	static void stop() {
		redis.close();
	}

	private LockEngine engine(String client, boolean allReplicas) {
		RedisLockStore.Builder store = RedisLockStore.builder(redis.connections(client));
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
	@ValueSource(strings = { "lettuce", "jedis", "lettuce, all replicas", "jedis, all replicas" })
	void aSlotMovesWhileEightThreadsLockAndNoCallerNotices(String how) throws Exception {
		List<LockEngine> jvms = List.of(engine(how.split(",")[0], how.endsWith("replicas")),
				engine(how.split(",")[0], how.endsWith("replicas")));
		LockKey first = keyOf(0, "first");
		// One more in the same bucket, so that there are keys that move apart.
		LockKey second = IntStream.range(0, 100_000)
			.mapToObj((i) -> LockKey.of("second", i))
			.filter((key) -> LAYOUT.bucket(key.id()) == LAYOUT.bucket(first.id()))
			.findFirst()
			.orElseThrow();
		Map<LockKey, FuzzCounter> counters = new LinkedHashMap<>();
		counters.put(first, new FuzzCounter());
		counters.put(second, new FuzzCounter());
		AtomicInteger done = new AtomicInteger();
		AtomicInteger moves = new AtomicInteger();
		ExecutorService threads = Executors.newFixedThreadPool(8);
		try {
			List<Future<?>> callers = new ArrayList<>();
			for (int i = 0; i < 8; i++) {
				LockEngine jvm = jvms.get(i % 2);
				LockKey key = (i % 4 < 2) ? first : second;
				callers.add(threads.submit(() -> {
					while (moves.get() < MOVES) {
						jvm.executeWithoutResult(request(key, Duration.ofSeconds(20)),
								(lease) -> counters.get(key).increment(lease.fencingToken()));
						done.incrementAndGet();
					}
				}));
			}
			List<RedisServerProcess> primaries = redis.nodes().subList(0, 3);
			while (moves.get() < MOVES) {
				int before = done.get();
				redis.moveSlot(slot(first), primaries.get(moves.get() % 3), primaries.get((moves.get() + 1) % 3));
				await().atMost(Duration.ofSeconds(20))
					.until(() -> done.get() > before + 20 || callers.stream().anyMatch(Future::isDone));
				moves.incrementAndGet();
			}
			for (Future<?> caller : callers) {
				caller.get(30, TimeUnit.SECONDS);
			}
		}
		finally {
			threads.shutdownNow();
		}
		assertThat(counters.values().stream().mapToLong(FuzzCounter::value).sum()).isEqualTo(done.get());
		assertThat(counters.values()).allMatch((counter) -> counter.value() > 20);
	}

	@Test
	void locksThatAreHeldMoveWithTheirSlot() {
		LockEngine one = engine("lettuce", false);
		LockEngine two = engine("lettuce", false);
		LockKey key = keyOf(0, "held");
		Lease lease = one.acquire(request(key, Duration.ZERO).withTtl(Duration.ofSeconds(2)));
		List<RedisServerProcess> primaries = redis.nodes().subList(0, 3);
		for (int i = 0; i < 3; i++) {
			redis.moveSlot(slot(key), primaries.get(i), primaries.get((i + 1) % 3));
			// Longer than the ttl, so that it has been renewed on the new node.
			await().pollDelay(Duration.ofMillis(2500)).until(() -> true);
			assertThat(lease.isHeld()).isTrue();
			assertThatExceptionOfType(LockNotAcquiredException.class)
				.isThrownBy(() -> two.acquire(request(key, Duration.ZERO)));
		}
		assertThat(lease.release()).isTrue();
		two.acquire(request(key, Duration.ofSeconds(2))).release();
	}

}
