package io.distributedlock.store.etcd;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

import io.etcd.jetcd.Client;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import io.distributedlock.Lease;
import io.distributedlock.LockMode;
import io.distributedlock.LockOwner;
import io.distributedlock.LockRequest;
import io.distributedlock.MultiLease;
import io.distributedlock.engine.LockEngine;
import io.distributedlock.store.etcd.server.EtcdServer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

/**
 * Readers, strict order, permits and several locks of three JVMs over one etcd.
 */
class KindsOnEtcdTests {

	private static final Logger logger = LoggerFactory.getLogger(KindsOnEtcdTests.class);

	private static final int JVMS = 3;

	static EtcdServer etcd;

	private final List<Client> clients = new ArrayList<>();

	private final List<LockEngine> engines = new ArrayList<>();

	private final ExecutorService threads = Executors.newCachedThreadPool();

	@BeforeAll
	static void start() {
		Assumptions.assumeTrue(EtcdServer.isInstalled(), EtcdServer.INSTALL);
		etcd = EtcdServer.start();
	}

	@AfterAll
	static void stop() {
		if (etcd != null) {
			etcd.close();
		}
	}

	@BeforeEach
	void connect() {
		for (int i = 0; i < JVMS; i++) {
			Client client = Client.builder().endpoints(etcd.endpoint()).waitForReady(false).build();
			this.clients.add(client);
			this.engines
				.add(LockEngine.builder().store(EtcdLockStore.builder(client).instanceId("jvm-" + i).build()).build());
		}
	}

	@AfterEach
	void disconnect() {
		this.threads.shutdownNow();
		this.engines.forEach(LockEngine::close);
		this.clients.forEach(Client::close);
	}

	private void all(List<Future<?>> futures) throws Exception {
		for (Future<?> future : futures) {
			future.get(60, TimeUnit.SECONDS);
		}
		await().untilAsserted(() -> assertThat(keys()).noneMatch((key) -> key.matches("/distributed-lock/[lqs]/.*")));
	}

	private List<String> keys() {
		return etcd.etcdctl("get", "/distributed-lock/", "--prefix", "--keys-only").lines().toList();
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
		AtomicInteger reads = new AtomicInteger();
		AtomicInteger writes = new AtomicInteger();
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
					reads.incrementAndGet();
					Thread.sleep(1);
					readers.decrementAndGet();
					lease.close();
				}
				return null;
			}));
		}
		for (int i = 0; i < JVMS; i++) {
			LockEngine jvm = this.engines.get(i);
			callers.add(run(() -> {
				while (System.nanoTime() < end) {
					Lease lease = jvm.acquire(write);
					if (writers.incrementAndGet() > 1 || readers.get() > 0) {
						violations.add("a writer that is not alone");
					}
					writes.incrementAndGet();
					Thread.sleep(1);
					writers.decrementAndGet();
					lease.close();
				}
				return null;
			}));
		}
		all(callers);
		logger.info("12 readers and 3 writers in 3 JVMs: {} reads and {} writes in 3 s", reads, writes);
		assertThat(violations).isEmpty();
		assertThat(mostReaders.get()).isGreaterThan(2);
		assertThat(writes.get()).isGreaterThan(10);
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
				for (int j = 0; j < 8; j++) {
					Lease lease = jvm.acquire(seat);
					most.accumulateAndGet(in.incrementAndGet(), Math::max);
					Thread.sleep(20);
					in.decrementAndGet();
					lease.close();
				}
				return null;
			}));
		}
		long start = System.nanoTime();
		all(callers);
		logger.info("12 callers in 3 JVMs, 3 permits for 20 ms: 96 turns in {} ms",
				(System.nanoTime() - start) / 1_000_000);
		assertThat(most).hasValue(3);
	}

	@Test
	void transfersBetweenAccountsConserveTheMoney() throws Exception {
		int[] accounts = new int[5];
		List<Future<?>> callers = new ArrayList<>();
		for (int i = 0; i < 4 * JVMS; i++) {
			LockEngine jvm = this.engines.get(i % JVMS);
			callers.add(run(() -> {
				for (int j = 0; j < 25; j++) {
					int from = ThreadLocalRandom.current().nextInt(accounts.length);
					int to = (from + 1 + ThreadLocalRandom.current().nextInt(accounts.length - 1)) % accounts.length;
					List<LockRequest> both = List.of(account(from), account(to));
					try (MultiLease held = jvm.acquireAll(both)) {
						assertThat(held.isHeld()).isTrue();
						int taken = accounts[from] - 1;
						int given = accounts[to] + 1;
						Thread.yield();
						accounts[from] = taken;
						accounts[to] = given;
					}
				}
				return null;
			}));
		}
		all(callers);
		int sum = 0;
		for (int account : accounts) {
			sum += account;
		}
		assertThat(sum).isZero();
		assertThat(accounts).isNotEqualTo(new int[5]);
	}

	private static LockRequest account(int number) {
		return LockRequest.of("account", number).withWaitTime(Duration.ofSeconds(30));
	}

	@Test
	void longHoldsAreRenewedInWhateverKind() throws Exception {
		Duration ttl = Duration.ofMillis(600);
		List<Lease> leases = List.of(
				this.engines.get(0).acquire(LockRequest.of("book").withMode(LockMode.READ).withTtl(ttl)),
				this.engines.get(1).acquire(LockRequest.of("book").withMode(LockMode.READ).withTtl(ttl)),
				this.engines.get(2)
					.acquire(LockRequest.of("book").withMode(LockMode.READ).withTtl(ttl.multipliedBy(4))),
				this.engines.get(0).acquire(LockRequest.of("desk").withFair(true).withTtl(ttl)),
				this.engines.get(0).acquire(LockRequest.of("seat").withPermits(2).withTtl(ttl)));
		// The longest lease that the record of a shared lock can have been on.
		long end = System.nanoTime() + Duration.ofSeconds(6).toNanos();
		await().until(() -> System.nanoTime() > end);
		assertThat(leases).allMatch(Lease::isHeld);
		LockRequest other = LockRequest.of("book").withWaitTime(Duration.ZERO).withOwner(LockOwner.create("other"));
		assertThat(this.engines.get(1).tryAcquire(other)).isEmpty();
		leases.forEach(Lease::close);
		all(List.of());
	}

	@Test
	void readersOfAJvmThatDiesLetTheWriterInAndThoseOfOthersKeepTheirShares() throws Exception {
		LockRequest write = LockRequest.of("book").withWaitTime(Duration.ofSeconds(20));
		LockRequest read = write.withMode(LockMode.READ).withTtl(Duration.ofSeconds(1));
		Lease living = this.engines.get(1).acquire(read);
		// The record is on a lease of the one that came last.
		Lease dying = this.engines.get(0).acquire(read);
		// Nothing of this JVM reaches etcd any more.
		this.clients.get(0).close();
		long killed = System.nanoTime();
		await().atMost(Duration.ofSeconds(5)).until(() -> !dying.isHeld());
		Future<?> writer = run(() -> {
			this.engines.get(2).acquire(write).close();
			return null;
		});
		await().atMost(Duration.ofSeconds(8))
			.until(() -> this.engines.get(1)
				.find(write.key(), null)
				.filter((lock) -> lock.shares().size() == 1)
				.isPresent());
		logger.info("The share of a dead JVM with a ttl of 1 s was gone after {} ms",
				(System.nanoTime() - killed) / 1_000_000);
		assertThat(living.isHeld()).isTrue();
		assertThat(writer).isNotDone();
		living.close();
		all(List.of(writer));
	}

}
