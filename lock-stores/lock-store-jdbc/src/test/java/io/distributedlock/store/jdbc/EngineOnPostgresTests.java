package io.distributedlock.store.jdbc;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.LongAdder;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.Isolated;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import io.distributedlock.Lease;
import io.distributedlock.LockException;
import io.distributedlock.LockKey;
import io.distributedlock.LockNotAcquiredException;
import io.distributedlock.LockRequest;
import io.distributedlock.LockStoreException;
import io.distributedlock.engine.LockEngine;
import io.distributedlock.spi.AttemptId;
import io.distributedlock.store.jdbc.server.PostgresServer;
import io.distributedlock.test.FuzzCounter;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

/**
 * The engine over a real PostgreSQL: several JVMs at once, and a server that goes away.
 */
@Isolated("measures times")
class EngineOnPostgresTests {

	private static final Logger logger = LoggerFactory.getLogger(EngineOnPostgresTests.class);

	private final PostgresServer server = PostgresServer.start();

	private final List<AutoCloseable> resources = new ArrayList<>();

	@BeforeEach
	void initialize() {
		Databases.initialize(this.server.dataSource());
	}

	@AfterEach
	void close() throws Exception {
		for (AutoCloseable resource : this.resources) {
			resource.close();
		}
		this.server.close();
	}

	private LockEngine engine() {
		HikariConfig config = new HikariConfig();
		config.setJdbcUrl(this.server.url());
		config.setMaximumPoolSize(6);
		config.setConnectionTimeout(2000);
		HikariDataSource pool = new HikariDataSource(config);
		LockEngine engine = LockEngine.builder().store(JdbcLockStore.builder(pool).build()).build();
		this.resources.add(engine);
		this.resources.add(pool);
		return engine;
	}

	@Test
	void severalJvmsThatWantTheSameLocksLoseNothingAndNeverDeadlock() throws Exception {
		List<LockEngine> jvms = List.of(engine(), engine(), engine());
		int keys = 6;
		List<FuzzCounter> counters = new ArrayList<>();
		for (int key = 0; key < keys; key++) {
			counters.add(new FuzzCounter());
		}
		Queue<Throwable> failures = new ConcurrentLinkedQueue<>();
		List<Thread> threads = new ArrayList<>();
		for (LockEngine jvm : jvms) {
			for (int i = 0; i < 8; i++) {
				Thread thread = new Thread(() -> {
					for (int round = 0; round < 25; round++) {
						int key = ThreadLocalRandom.current().nextInt(keys);
						try {
							jvm.executeWithoutResult(LockRequest.of("stock", key).withWaitTime(Duration.ofSeconds(30)),
									(lease) -> counters.get(key).increment(lease.fencingToken()));
						}
						catch (RuntimeException | AssertionError ex) {
							failures.add(ex);
						}
					}
				});
				threads.add(thread);
				thread.start();
			}
		}
		for (Thread thread : threads) {
			thread.join();
		}
		assertThat(failures).isEmpty();
		assertThat(counters.stream().mapToLong(FuzzCounter::value).sum()).isEqualTo(3 * 8 * 25);
		assertThat(this.server.query("SELECT deadlocks FROM pg_stat_database WHERE datname = 'postgres'"))
			.containsExactly("0");
	}

	@Test
	void whenTheServerIsKilledUnder16ThreadsEveryCallEndsInTimeAndAfterwardsAllWorksAgain() throws Exception {
		Outage outage = new Outage(engine());
		outage.awaitSuccesses(100);
		this.server.kill();
		outage.awaitOutages(32);
		this.server.restart();
		outage.awaitSuccesses(200);
		outage.stop();
		logger.info("PostgreSQL killed and restarted under 16 threads: {}, longest call {} ms", outage.outcomes,
				outage.longest.get() / 1_000_000);
	}

	@Test
	void whenTheServerIsPausedUnder16ThreadsEveryCallEndsInTimeAndAfterwardsAllWorksAgain() throws Exception {
		Outage outage = new Outage(engine());
		outage.awaitSuccesses(100);
		this.server.pause();
		outage.awaitOutages(32);
		this.server.resume();
		outage.awaitSuccesses(200);
		outage.stop();
		logger.info("PostgreSQL paused under 16 threads: {}, longest call {} ms", outage.outcomes,
				outage.longest.get() / 1_000_000);
	}

	@Test
	void aConnectionThatListenedAndWasCutIsReplacedAndWaitersAreToldThatTheyMayHaveMissedSomething() {
		try (HikariDataSource pool = Databases.pool(this.server.url(), 6);
				StoreFixture fixture = StoreFixture.of(pool)) {
			String listeners = "SELECT pid FROM pg_stat_activity WHERE query LIKE 'LISTEN%'";
			await().until(() -> this.server.query(listeners).size() == 1);
			String first = this.server.query(listeners).get(0);
			this.server.query("SELECT pg_terminate_backend(" + first + ")");
			await().until(() -> fixture.resumed.get() == 1);
			await().until(() -> {
				List<String> now = this.server.query(listeners);
				return now.size() == 1 && !now.get(0).equals(first);
			});
		}
	}

	@Test
	void nothingIsLeftOfAStoreThatWasClosed() {
		HikariDataSource pool = Databases.pool(this.server.url(), 6);
		this.resources.add(pool);
		StoreFixture fixture = new StoreFixture(StoreFixture.builder(pool).name("closing").build());
		assertThat(Thread.getAllStackTraces().keySet())
			.anyMatch((thread) -> thread.getName().startsWith("distributed-lock-closing"));
		fixture.acquire(LockKey.of("stock", 42), AttemptId.random());
		fixture.store.close();
		fixture.store.close();
		await().until(() -> pool.getHikariPoolMXBean().getActiveConnections() == 0);
		await().untilAsserted(() -> assertThat(Thread.getAllStackTraces().keySet())
			.noneMatch((thread) -> thread.getName().startsWith("distributed-lock-closing")));
	}

	/**
	 * Threads that use locks while the server goes away.
	 */
	private static final class Outage {

		private static final Duration WAIT = Duration.ofMillis(800);

		private static final Duration COMMAND = Duration.ofMillis(500);

		final Map<String, LongAdder> outcomes = new TreeMap<>();

		final AtomicLong longest = new AtomicLong();

		private final Queue<Throwable> unexpected = new ConcurrentLinkedQueue<>();

		private final CountDownLatch stop = new CountDownLatch(1);

		private final List<Thread> threads = new ArrayList<>();

		Outage(LockEngine engine) {
			for (String outcome : List.of("success", "outage", "contention", "lost")) {
				this.outcomes.put(outcome, new LongAdder());
			}
			for (int i = 0; i < 16; i++) {
				Thread thread = new Thread(() -> {
					while (this.stop.getCount() > 0) {
						use(engine);
					}
				});
				this.threads.add(thread);
				thread.start();
			}
		}

		private void use(LockEngine engine) {
			LockRequest request = LockRequest.of("outage", ThreadLocalRandom.current().nextInt(8))
				.withTtl(Duration.ofSeconds(3))
				.withWaitTime(WAIT);
			long start = System.nanoTime();
			try {
				Lease lease = engine.acquire(request);
				took(start);
				this.outcomes.get(lease.release() ? "success" : "lost").increment();
			}
			catch (LockStoreException ex) {
				took(start);
				this.outcomes.get("outage").increment();
			}
			catch (LockNotAcquiredException ex) {
				took(start);
				this.outcomes.get("contention").increment();
			}
			catch (LockException | IllegalStateException ex) {
				this.unexpected.add(ex);
			}
		}

		private void took(long start) {
			this.longest.accumulateAndGet(System.nanoTime() - start, Math::max);
		}

		void awaitSuccesses(int more) {
			await(more, "success");
		}

		void awaitOutages(int more) {
			await(more, "outage");
		}

		private void await(int more, String outcome) {
			long before = this.outcomes.get(outcome).sum();
			org.awaitility.Awaitility.await(outcome)
				.atMost(Duration.ofSeconds(30))
				.until(() -> this.outcomes.get(outcome).sum() > before + more);
		}

		void stop() throws InterruptedException {
			this.stop.countDown();
			for (Thread thread : this.threads) {
				thread.join();
			}
			assertThat(this.unexpected).isEmpty();
			assertThat(Duration.ofNanos(this.longest.get())).isLessThan(WAIT.plus(COMMAND).plusSeconds(2));
		}

	}

}
