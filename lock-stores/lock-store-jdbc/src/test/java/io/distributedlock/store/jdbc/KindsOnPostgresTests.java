package io.distributedlock.store.jdbc;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

import com.zaxxer.hikari.HikariDataSource;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.Isolated;

import io.distributedlock.Lease;
import io.distributedlock.LockInspector.StoredLock;
import io.distributedlock.LockMode;
import io.distributedlock.LockOutcome;
import io.distributedlock.LockOwner;
import io.distributedlock.LockRequest;
import io.distributedlock.MultiLease;
import io.distributedlock.engine.LockEngine;
import io.distributedlock.store.jdbc.server.PostgresServer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

/**
 * Readers, strict order, permits and several locks of three JVMs over one PostgreSQL.
 */
@Isolated("many threads")
class KindsOnPostgresTests {

	private static final int JVMS = 3;

	private static PostgresServer server;

	private static HikariDataSource pool;

	private final List<LockEngine> engines = new ArrayList<>();

	private final ExecutorService threads = Executors.newCachedThreadPool();

	@BeforeAll
	static void start() {
		server = PostgresServer.start();
		pool = Databases.pool(server.url(), 30);
		Databases.initialize(pool);
	}

	@AfterAll
	static void stop() {
		pool.close();
		server.close();
	}

	@BeforeEach
	void connect() {
		for (int i = 0; i < JVMS; i++) {
			this.engines
				.add(LockEngine.builder().store(JdbcLockStore.builder(pool).instanceId("jvm-" + i).build()).build());
		}
	}

	@AfterEach
	void disconnect() {
		this.threads.shutdownNow();
		this.engines.forEach(LockEngine::close);
	}

	private Future<?> run(Callable<?> work) {
		return this.threads.submit(work);
	}

	private void all(List<Future<?>> futures) throws Exception {
		for (Future<?> future : futures) {
			future.get(60, TimeUnit.SECONDS);
		}
		await().untilAsserted(() -> {
			assertThat(server.query("SELECT lock_key FROM distributed_lock_claim")).isEmpty();
			assertThat(server.query("SELECT lock_key FROM distributed_lock WHERE lock_state <> 'F'")).isEmpty();
		});
		assertThat(server.query("SELECT deadlocks FROM pg_stat_database WHERE datname = 'postgres'"))
			.containsExactly("0");
	}

	@Test
	void readersRunTogetherAndWritersAloneAndNobodyStarves() throws Exception {
		LockRequest write = LockRequest.of("book").withWaitTime(Duration.ofSeconds(20));
		LockRequest read = write.withMode(LockMode.READ);
		AtomicInteger readers = new AtomicInteger();
		AtomicInteger writers = new AtomicInteger();
		AtomicInteger mostReaders = new AtomicInteger();
		ConcurrentLinkedQueue<String> violations = new ConcurrentLinkedQueue<>();
		long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(2);
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
		return this.engines.get(0).find(LockRequest.of("desk").key(), null).orElseThrow().queue().size();
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
				for (int j = 0; j < 10; j++) {
					Lease lease = jvm.acquire(seat);
					most.accumulateAndGet(in.incrementAndGet(), Math::max);
					Thread.sleep(5);
					in.decrementAndGet();
					lease.close();
				}
				return null;
			}));
		}
		all(callers);
		assertThat(most.get()).isBetween(2, 3);
	}

	@Test
	void longHoldsAreRenewedInWhateverKindAndShownToOperators() throws Exception {
		Duration ttl = Duration.ofMillis(600);
		LockRequest read = LockRequest.of("book").withMode(LockMode.READ).withTtl(ttl);
		List<Lease> leases = List.of(this.engines.get(0).acquire(read), this.engines.get(1).acquire(read),
				this.engines.get(0).acquire(LockRequest.of("desk").withFair(true).withTtl(ttl)),
				this.engines.get(0).acquire(LockRequest.of("seat").withPermits(2).withTtl(ttl)));
		long end = System.nanoTime() + ttl.multipliedBy(3).toNanos();
		await().until(() -> System.nanoTime() > end);
		assertThat(leases).allMatch(Lease::isHeld);
		assertThat(this.engines.get(2).tryAcquire(LockRequest.of("book").withWaitTime(Duration.ZERO))).isEmpty();
		StoredLock seen = this.engines.get(2).find(read.key(), null).orElseThrow();
		assertThat(seen.state()).isEqualTo(StoredLock.State.SHARED);
		assertThat(seen.shares()).extracting((share) -> share.instance() + " " + share.state())
			.containsExactlyInAnyOrder("jvm-0 HELD", "jvm-1 HELD");
		leases.forEach(Lease::close);
		all(List.of());
	}

	@Test
	void transfersBetweenAccountsThatLockBothConserveTheMoney() throws Exception {
		int[] accounts = new int[8];
		Arrays.fill(accounts, 100);
		List<Future<?>> callers = new ArrayList<>();
		for (int i = 0; i < 9; i++) {
			LockEngine jvm = this.engines.get(i % JVMS);
			callers.add(run(() -> {
				for (int j = 0; j < 15; j++) {
					int from = ThreadLocalRandom.current().nextInt(accounts.length);
					int to = (from + 1 + ThreadLocalRandom.current().nextInt(accounts.length - 1)) % accounts.length;
					try (MultiLease leases = jvm.acquireAll(List.of(account(from), account(to)))) {
						int before = accounts[from];
						int beside = accounts[to];
						Thread.sleep(1);
						accounts[from] = before - 1;
						accounts[to] = beside + 1;
						leases.assertHeld();
					}
				}
				return null;
			}));
		}
		all(callers);
		assertThat(Arrays.stream(accounts).sum()).isEqualTo(800);
	}

	private static LockRequest account(int number) {
		return LockRequest.of("account", number).withWaitTime(Duration.ofSeconds(20));
	}

	@Test
	void aBatchOfManyLocksIsGrantedAndGivenBack() throws Exception {
		List<LockRequest> jobs = new ArrayList<>();
		for (int i = 0; i < 500; i++) {
			jobs.add(LockRequest.of("job", i));
		}
		Lease other = this.engines.get(1).acquire(jobs.get(250));
		List<LockOutcome> outcomes = this.engines.get(0).tryAcquireEach(jobs);
		List<Lease> mine = outcomes.stream().flatMap((outcome) -> outcome.lease().stream()).toList();
		assertThat(mine).hasSize(499).allMatch(Lease::isHeld);
		assertThat(outcomes.get(250)).isInstanceOf(LockOutcome.Refused.class);
		assertThat(this.engines.get(0).releaseAll(mine)).isTrue();
		other.close();
		all(List.of());
	}

}
