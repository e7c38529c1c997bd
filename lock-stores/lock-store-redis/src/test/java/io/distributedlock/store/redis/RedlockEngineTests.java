package io.distributedlock.store.redis;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.LongAdder;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import io.distributedlock.Lease;
import io.distributedlock.LeaseState;
import io.distributedlock.LockKey;
import io.distributedlock.LockNotAcquiredException;
import io.distributedlock.LockRequest;
import io.distributedlock.LockStoreException;
import io.distributedlock.engine.LockEngine;
import io.distributedlock.test.FuzzCounter;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

/**
 * The engine on Redlock: several JVMs, and servers that fail under their hands.
 */
class RedlockEngineTests {

	private static final Logger logger = LoggerFactory.getLogger(RedlockEngineTests.class);

	private final RedlockFixture redlock = new RedlockFixture(5);

	private final List<LockEngine> engines = new ArrayList<>();

	private final List<RedlockLockStore> stores = new ArrayList<>();

	private LockEngine engine() {
		RedlockLockStore store = this.redlock.builder().build();
		this.stores.add(store);
		LockEngine engine = LockEngine.builder().store(store).build();
		this.engines.add(engine);
		return engine;
	}

	private List<LockEngine> engines(int count) {
		List<LockEngine> made = new ArrayList<>();
		for (int i = 0; i < count; i++) {
			made.add(engine());
		}
		return made;
	}

	@AfterEach
	void close() {
		this.engines.forEach(LockEngine::close);
		this.redlock.close();
	}

	@Test
	void fourJvmsThatCompeteMakeProgressAndNeverOverlap() {
		List<LockEngine> jvms = engines(4);
		FuzzCounter counter = new FuzzCounter();
		LockRequest request = LockRequest.of("stock", 42).withWaitTime(Duration.ofSeconds(50));
		long start = System.nanoTime();
		counter.run(jvms, request, 4, 100);
		logger.info("4 JVMs x 4 threads x 100 turns on one key: {} ms",
				Duration.ofNanos(System.nanoTime() - start).toMillis());
		assertThat(counter.value()).isEqualTo(4 * 4 * 100);
		await().until(this::nothingIsLeft);
	}

	@Test
	void whatHappensToAMinorityNobodyNotices() throws Exception {
		List<LockEngine> jvms = engines(3);
		FuzzCounter counter = new FuzzCounter();
		LockRequest request = LockRequest.of("stock", 42).withWaitTime(Duration.ofSeconds(50));
		CountDownLatch done = new CountDownLatch(1);
		CompletableFuture<Integer> troubles = CompletableFuture.supplyAsync(() -> trouble(done),
				(task) -> new Thread(task, "trouble").start());
		try {
			counter.run(jvms, request, 3, 400);
		}
		finally {
			done.countDown();
		}
		logger.info("3600 turns of 3 JVMs while servers were frozen, killed and restarted {} times", troubles.get());
		assertThat(counter.value()).isEqualTo(3 * 3 * 400);
		assertThat(troubles.get()).isPositive();
	}

	/**
	 * Two at a time, one frozen and one restarted empty; each is back for longer than any
	 * hold before the next goes.
	 */
	private int trouble(CountDownLatch done) {
		int troubles = 0;
		while (done.getCount() > 0) {
			int frozen = troubles % 5;
			int killed = (troubles + 2) % 5;
			this.redlock.server(frozen).freeze();
			this.redlock.server(killed).kill();
			pause(done);
			this.redlock.server(killed).restart();
			this.redlock.server(frozen).thaw();
			pause(done);
			troubles++;
		}
		return troubles;
	}

	private static void pause(CountDownLatch done) {
		try {
			if (done.await(250, TimeUnit.MILLISECONDS)) {
				logger.debug("done");
			}
		}
		catch (InterruptedException ex) {
			Thread.currentThread().interrupt();
		}
	}

	@Test
	void whileAMajorityIsAwayEveryCallEndsInTimeAndAfterwardsAllWorksAgain() throws Exception {
		LockEngine engine = engine();
		Duration wait = Duration.ofMillis(800);
		Duration command = Duration.ofMillis(500);
		Map<String, LongAdder> outcomes = new TreeMap<>();
		for (String outcome : List.of("success", "outage", "contention")) {
			outcomes.put(outcome, new LongAdder());
		}
		Queue<Throwable> unexpected = new ConcurrentLinkedQueue<>();
		AtomicLong longest = new AtomicLong();
		CountDownLatch stop = new CountDownLatch(1);
		List<Thread> threads = new ArrayList<>();
		for (int i = 0; i < 16; i++) {
			Thread thread = new Thread(() -> {
				while (stop.getCount() > 0) {
					LockRequest request = LockRequest.of("outage", ThreadLocalRandom.current().nextInt(8))
						.withTtl(Duration.ofSeconds(3))
						.withWaitTime(wait);
					String outcome = "success";
					long start = System.nanoTime();
					try {
						Lease lease = engine.acquire(request);
						longest.accumulateAndGet(System.nanoTime() - start, Math::max);
						lease.release();
					}
					catch (LockStoreException | LockNotAcquiredException ex) {
						longest.accumulateAndGet(System.nanoTime() - start, Math::max);
						outcome = (ex instanceof LockStoreException) ? "outage" : "contention";
					}
					catch (RuntimeException ex) {
						unexpected.add(ex);
					}
					outcomes.get(outcome).increment();
				}
			});
			threads.add(thread);
			thread.start();
		}
		awaitMore(outcomes.get("success"), 100);
		this.redlock.servers.subList(0, 3).forEach((server) -> server.freeze());
		awaitMore(outcomes.get("outage"), 32);
		this.redlock.servers.subList(0, 3).forEach((server) -> server.thaw());
		awaitMore(outcomes.get("success"), 200);
		this.redlock.servers.subList(2, 5).forEach((server) -> server.kill());
		awaitMore(outcomes.get("outage"), 32);
		this.redlock.servers.subList(2, 5).forEach((server) -> server.restart());
		awaitMore(outcomes.get("success"), 200);
		stop.countDown();
		for (Thread thread : threads) {
			thread.join();
		}
		logger.info("3 of 5 servers frozen, then killed, under 16 threads: {}, longest call {} ms", outcomes,
				longest.get() / 1_000_000);
		assertThat(unexpected).isEmpty();
		assertThat(Duration.ofNanos(longest.get())).isLessThan(wait.plus(command).plusSeconds(2));
		await().atMost(Duration.ofSeconds(10)).until(this::nothingIsLeft);
	}

	private static void awaitMore(LongAdder count, long more) {
		long before = count.sum();
		await().atMost(Duration.ofSeconds(20)).until(() -> count.sum() > before + more);
	}

	private boolean nothingIsLeft() {
		return this.redlock.servers.stream().allMatch((server) -> server.command("KEYS", "lock:l:*").isBlank())
				&& this.stores.stream().allMatch((store) -> store.leftBehind() == 0);
	}

	@Test
	void aLeaseIsRenewedWithTwoServersFrozenAndLostWithThreeThatForgot() {
		LockEngine engine = engine();
		LockKey key = LockKey.of("long");
		Duration ttl = Duration.ofSeconds(3);
		Lease lease = engine.acquire(LockRequest.of("long").withTtl(ttl));
		this.redlock.server(0).freeze();
		this.redlock.server(1).freeze();
		await().pollDelay(ttl.multipliedBy(2)).until(() -> true);
		assertThat(lease.isHeld()).isTrue();
		this.redlock.server(0).thaw();
		this.redlock.server(1).thaw();
		AtomicLong told = new AtomicLong();
		lease.onLost((exception) -> told.set(System.nanoTime()));
		long forgotten = System.nanoTime();
		this.redlock.servers.forEach((server) -> server.command("DEL", "lock:l:" + key.id()));
		await().until(() -> told.get() != 0);
		assertThat(Duration.ofNanos(told.get() - forgotten)).isLessThan(ttl.dividedBy(3).plusMillis(900));
		assertThat(lease.state()).isEqualTo(LeaseState.LOST);
	}

}
