package io.distributedlock.store.redis;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

import io.distributedlock.Lease;
import io.distributedlock.LockMode;
import io.distributedlock.LockOwner;
import io.distributedlock.LockRequest;
import io.distributedlock.engine.LockEngine;
import io.distributedlock.store.redis.server.RedisServerProcess;
import io.distributedlock.test.TransferRace;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

/**
 * Readers, strict order and permits of three JVMs over one Redis.
 */
class KindsOnRedisTests {

	private static final int JVMS = 3;

	static RedisServerProcess redis;

	private final List<LockEngine> engines = new ArrayList<>();

	private final ExecutorService threads = Executors.newCachedThreadPool();

	@BeforeAll
	static void start() {
		redis = RedisServerProcess.start();
	}

	@AfterAll
	static void stop() {
		redis.close();
	}

	@BeforeEach
	void connect() {
		for (int i = 0; i < JVMS; i++) {
			RedisLockStore store = RedisLockStore.builder(StoreFixture.lettuceFactory(redis.port()))
				.instanceId("jvm-" + i)
				.build();
			this.engines.add(LockEngine.builder().store(store).build());
		}
	}

	@AfterEach
	void disconnect() {
		this.threads.shutdownNow();
		this.engines.forEach(LockEngine::close);
	}

	private void all(List<Future<?>> futures) throws Exception {
		for (Future<?> future : futures) {
			future.get(60, TimeUnit.SECONDS);
		}
		await().untilAsserted(() -> assertThat(redis.command("KEYS", "lock:*")).doesNotContain("book")
			.doesNotContain("desk")
			.doesNotContain("seat")
			.doesNotContain("account"));
	}

	private Future<?> run(Callable<?> work) {
		return this.threads.submit(work);
	}

	@Test
	void readersRunTogetherAndWritersAloneAndNobodyStarves() throws Exception {
		LockRequest write = LockRequest.of("book").withWaitTime(Duration.ofSeconds(20));
		LockRequest read = write.withMode(LockMode.READ);
		AtomicInteger readers = new AtomicInteger();
		AtomicInteger writers = new AtomicInteger();
		AtomicInteger mostReaders = new AtomicInteger();
		ConcurrentLinkedQueue<String> violations = new ConcurrentLinkedQueue<>();
		long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(3);
		List<Future<?>> callers = new ArrayList<>();
		for (int i = 0; i < 12; i++) {
			LockEngine jvm = this.engines.get(i % JVMS);
			callers.add(run(() -> {
				while (System.nanoTime() < end) {
					Lease lease = jvm.acquire(read);
					mostReaders.accumulateAndGet(readers.incrementAndGet(), Math::max);
					if (writers.get() > 0) {
						violations.add("a reader within a writer");
					}
					Thread.sleep(1);
					readers.decrementAndGet();
					lease.close();
				}
				return null;
			}));
		}
		AtomicInteger written = new AtomicInteger();
		for (int i = 0; i < JVMS; i++) {
			LockEngine jvm = this.engines.get(i);
			callers.add(run(() -> {
				while (System.nanoTime() < end) {
					Lease lease = jvm.acquire(write);
					if (writers.incrementAndGet() > 1 || readers.get() > 0) {
						violations.add("a writer that is not alone");
					}
					written.incrementAndGet();
					Thread.sleep(1);
					writers.decrementAndGet();
					lease.close();
				}
				return null;
			}));
		}
		all(callers);
		assertThat(violations).isEmpty();
		assertThat(mostReaders.get()).isGreaterThan(2);
		assertThat(written.get()).isGreaterThan(10);
	}

	@Test
	void callersInStrictOrderAreServedAsTheyCame() throws Exception {
		LockRequest fair = LockRequest.of("desk").withFair(true).withWaitTime(Duration.ofSeconds(20));
		ConcurrentLinkedQueue<Integer> served = new ConcurrentLinkedQueue<>();
		Lease holder = this.engines.get(0).acquire(fair.withOwner(LockOwner.create("holder")));
		List<Future<?>> callers = new ArrayList<>();
		for (int i = 0; i < 12; i++) {
			int number = i;
			LockEngine jvm = this.engines.get((i * 5) % 7 % JVMS);
			callers.add(run(() -> {
				Lease lease = jvm.acquire(fair);
				served.add(number);
				lease.close();
				return null;
			}));
			await().until(() -> waiting() == number + 1);
		}
		holder.close();
		all(callers);
		assertThat(served).containsExactly(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11);
	}

	private int waiting() {
		return this.engines.stream()
			.mapToInt((engine) -> engine.find(LockRequest.of("desk").key(), null).orElseThrow().queue().size())
			.max()
			.orElse(0);
	}

	@Test
	void noMoreThanThePermitsAreHeld() throws Exception {
		LockRequest seat = LockRequest.of("seat").withPermits(3).withWaitTime(Duration.ofSeconds(20));
		AtomicInteger in = new AtomicInteger();
		AtomicInteger most = new AtomicInteger();
		List<Future<?>> callers = new ArrayList<>();
		for (int i = 0; i < 12; i++) {
			LockEngine jvm = this.engines.get(i % JVMS);
			callers.add(run(() -> {
				for (int j = 0; j < 20; j++) {
					Lease lease = jvm.acquire(seat);
					most.accumulateAndGet(in.incrementAndGet(), Math::max);
					Thread.sleep(1);
					in.decrementAndGet();
					lease.close();
				}
				return null;
			}));
		}
		all(callers);
		assertThat(most).hasValue(3);
	}

	@Test
	void moneyMovesUnderLocksOfEveryKindTogetherAndNoneIsLost() throws Exception {
		TransferRace race = new TransferRace(this.engines);
		race.run(20);
		assertThat(race.done()).isGreaterThanOrEqualTo(JVMS * 6 * 20);
		all(List.of());
		assertThat(this.engines).allSatisfy((engine) -> assertThat(engine.held()).isEmpty());
	}

	@Test
	void longHoldsAreRenewedInWhateverKind() throws Exception {
		Duration ttl = Duration.ofMillis(600);
		List<Lease> leases = List.of(
				this.engines.get(0).acquire(LockRequest.of("book").withMode(LockMode.READ).withTtl(ttl)),
				this.engines.get(0).acquire(LockRequest.of("desk").withFair(true).withTtl(ttl)),
				this.engines.get(0).acquire(LockRequest.of("seat").withPermits(2).withTtl(ttl)));
		long end = System.nanoTime() + ttl.multipliedBy(3).toNanos();
		await().until(() -> System.nanoTime() > end);
		assertThat(leases).allMatch(Lease::isHeld);
		assertThat(this.engines.get(1).tryAcquire(LockRequest.of("book").withWaitTime(Duration.ZERO))).isEmpty();
		leases.forEach(Lease::close);
		all(List.of());
	}

}
