package io.distributedlock.store.etcd;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.LongAdder;

import io.etcd.jetcd.Client;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import io.distributedlock.Lease;
import io.distributedlock.LockException;
import io.distributedlock.LockNotAcquiredException;
import io.distributedlock.LockRequest;
import io.distributedlock.LockStoreException;
import io.distributedlock.engine.LockEngine;
import io.distributedlock.store.etcd.server.EtcdCluster;
import io.distributedlock.store.etcd.server.EtcdServer;
import io.distributedlock.test.FuzzCounter;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

/**
 * The engine over real etcd servers: what it costs, what it leaves behind, and what it
 * does when the leader or all of etcd goes away. The figures go to the log.
 */
class EngineOnEtcdTests {

	private static final Logger logger = LoggerFactory.getLogger(EngineOnEtcdTests.class);

	private static final int KEYS = Integer.getInteger("lock.test.keys", 1000);

	private final List<AutoCloseable> resources = new ArrayList<>();

	@BeforeEach
	void needsEtcd() {
		Assumptions.assumeTrue(EtcdServer.isInstalled(), EtcdServer.INSTALL);
	}

	@AfterEach
	void close() throws Exception {
		for (int i = this.resources.size() - 1; i >= 0; i--) {
			this.resources.get(i).close();
		}
	}

	private EtcdServer single() {
		EtcdServer etcd = EtcdServer.start();
		this.resources.add(etcd);
		return etcd;
	}

	private EtcdCluster cluster() {
		EtcdCluster etcd = EtcdCluster.start(3);
		this.resources.add(etcd);
		return etcd;
	}

	private LockEngine engine(List<String> endpoints) {
		Client client = Client.builder().endpoints(endpoints.toArray(String[]::new)).build();
		this.resources.add(client);
		LockEngine engine = LockEngine.builder()
			.store(EtcdLockStore.builder(client).endpoints(endpoints).build())
			.build();
		this.resources.add(engine);
		return engine;
	}

	@Test
	void severalJvmsOnAClusterLoseNoIncrement() {
		EtcdCluster etcd = cluster();
		List<LockEngine> jvms = new ArrayList<>();
		for (EtcdServer server : etcd.servers()) {
			jvms.add(engine(List.of(server.endpoint())));
		}
		FuzzCounter counter = new FuzzCounter();
		counter.run(jvms, LockRequest.of("counter").withWaitTime(Duration.ofSeconds(30)), 8, 100);
		assertThat(counter.value()).isEqualTo(3 * 8 * 100);
	}

	@Test
	void aHotKeyCostsEtcdAFractionOfAWritePerCriticalSection() throws Exception {
		EtcdServer etcd = single();
		LockEngine engine = engine(List.of(etcd.endpoint()));
		LockRequest hot = LockRequest.of("hot").withWaitTime(Duration.ofSeconds(20));
		engine.acquire(hot).close();
		long before = proposals(etcd);
		LongAdder cycles = new LongAdder();
		load(16, Duration.ofSeconds(2), (number) -> {
			engine.acquire(hot).close();
			cycles.increment();
		});
		double cost = (double) (proposals(etcd) - before) / cycles.sum();
		logger.info("Hot key, 16 threads: {} cycles/s, {} writes of etcd per cycle", cycles.sum() / 2,
				String.format("%.3f", cost));
		assertThat(cost).isLessThan(0.2);
	}

	@Test
	void threadsWithKeysOfTheirOwnShareTheWritesOfEtcd() throws Exception {
		EtcdServer etcd = single();
		LockEngine engine = engine(List.of(etcd.endpoint()));
		engine.acquire(LockRequest.of("own", 0)).close();
		long before = proposals(etcd);
		LongAdder cycles = new LongAdder();
		load(16, Duration.ofSeconds(2), (number) -> {
			engine.acquire(LockRequest.of("own", number)).close();
			cycles.increment();
		});
		double cost = (double) (proposals(etcd) - before) / cycles.sum();
		logger.info("Own keys, 16 threads: {} cycles/s, {} writes of etcd per cycle", cycles.sum() / 2,
				String.format("%.3f", cost));
		assertThat(cost).as("2 without sharing").isLessThan(0.7);
	}

	@Test
	void keysThatWereUsedOnceLeaveNothingBehind() {
		EtcdServer etcd = single();
		LockEngine engine = engine(List.of(etcd.endpoint()));
		for (int i = 0; i < KEYS; i++) {
			engine.acquire(LockRequest.of("once", i)).close();
		}
		List<String> left = etcd.etcdctl("get", "/distributed-lock/", "--prefix", "--keys-only")
			.lines()
			.filter((line) -> !line.isBlank())
			.toList();
		assertThat(left).as("the marker of one lease").hasSize(1);
		assertThat(etcd.etcdctl("lease", "list")).contains("found 1 lease");
		engine.close();
		await().atMost(Duration.ofSeconds(10))
			.until(() -> etcd.etcdctl("get", "/distributed-lock/", "--prefix", "--keys-only").isBlank());
	}

	@Test
	void whenTheLeaderIsKilledEveryCallEndsAndNobodyOverlaps() throws Exception {
		EtcdCluster etcd = cluster();
		List<LockEngine> jvms = List.of(engine(etcd.endpoints()), engine(etcd.endpoints()));
		Outcomes outcomes = new Outcomes();
		CountDownLatch stop = new CountDownLatch(1);
		List<Thread> threads = new ArrayList<>();
		for (int i = 0; i < 16; i++) {
			LockEngine engine = jvms.get(i % 2);
			Thread thread = new Thread(() -> {
				while (stop.getCount() > 0) {
					outcomes.call(engine, ThreadLocalRandom.current().nextInt(4));
				}
			});
			threads.add(thread);
			thread.start();
		}
		await().atMost(Duration.ofSeconds(30)).until(() -> outcomes.count("success") > 200);
		EtcdServer leader = etcd.leader();
		long killed = System.nanoTime();
		leader.kill();
		// Keys of their own need the servers, which the hot ones may do without for a
		// while.
		Duration recovered = firstGrant(jvms.get(0), killed);
		leader.restart();
		long again = outcomes.count("success");
		await().atMost(Duration.ofSeconds(40)).until(() -> outcomes.count("success") > again + 500);
		stop.countDown();
		for (Thread thread : threads) {
			thread.join();
		}
		logger.info(
				"Leader killed under 16 threads of 2 JVMs: grants again after {} ms, longest time without a success {} ms,"
						+ " longest call {} ms, {}",
				recovered.toMillis(), outcomes.longestGap.get() / 1_000_000, outcomes.longestCall.get() / 1_000_000,
				outcomes.counts);
		assertThat(outcomes.unexpected).isEmpty();
		assertThat(outcomes.resources.values()).allSatisfy((resource) -> assertThat(resource.overlaps).isEmpty());
		assertThat(recovered).isLessThan(Duration.ofSeconds(20));
		assertThat(Duration.ofNanos(outcomes.longestCall.get())).isLessThan(Outcomes.WAIT.plusSeconds(4));
	}

	@Test
	void whenOneMemberHangsLocksAreStillGranted() throws Exception {
		EtcdCluster etcd = cluster();
		LockEngine engine = engine(etcd.endpoints());
		Outcomes outcomes = new Outcomes();
		load(4, Duration.ofSeconds(1), (number) -> outcomes.call(engine, number));
		EtcdServer leader = etcd.leader();
		EtcdServer follower = etcd.servers().stream().filter((server) -> server != leader).findFirst().orElseThrow();
		long before = outcomes.count("success");
		follower.freeze();
		try {
			load(4, Duration.ofSeconds(4), (number) -> outcomes.call(engine, number));
		}
		finally {
			follower.thaw();
		}
		logger.info("One of three members hangs: {} successes per second before, {} meanwhile, {}", before,
				(outcomes.count("success") - before) / 4, outcomes.counts);
		assertThat(outcomes.unexpected).isEmpty();
		assertThat(outcomes.count("success") - before).isPositive();
		assertThat(Duration.ofNanos(outcomes.longestCall.get())).isLessThan(Outcomes.WAIT.plusSeconds(4));
	}

	@Test
	void whileEtcdIsAwayEveryCallEndsInTimeAndAfterwardsAllWorksAgain() throws Exception {
		EtcdServer etcd = single();
		LockEngine engine = engine(List.of(etcd.endpoint()));
		Outcomes outcomes = new Outcomes();
		CountDownLatch stop = new CountDownLatch(1);
		List<Thread> threads = new ArrayList<>();
		for (int i = 0; i < 16; i++) {
			Thread thread = new Thread(() -> {
				while (stop.getCount() > 0) {
					outcomes.call(engine, ThreadLocalRandom.current().nextInt(4));
				}
			});
			threads.add(thread);
			thread.start();
		}
		await().atMost(Duration.ofSeconds(30)).until(() -> outcomes.count("success") > 100);
		etcd.kill();
		await().atMost(Duration.ofSeconds(40)).until(() -> outcomes.count("outage") > 32);
		etcd.restart();
		long after = outcomes.count("success");
		await().atMost(Duration.ofSeconds(30)).until(() -> outcomes.count("success") > after + 200);
		stop.countDown();
		for (Thread thread : threads) {
			thread.join();
		}
		logger.info("etcd killed and restarted under 16 threads: {}, longest call {} ms", outcomes.counts,
				outcomes.longestCall.get() / 1_000_000);
		assertThat(outcomes.unexpected).isEmpty();
		assertThat(outcomes.resources.values()).allSatisfy((resource) -> assertThat(resource.overlaps).isEmpty());
		assertThat(Duration.ofNanos(outcomes.longestCall.get())).isLessThan(Outcomes.WAIT.plusSeconds(4));
		await().atMost(Duration.ofSeconds(10))
			.until(() -> etcd.etcdctl("get", "/distributed-lock/l/", "--prefix", "--keys-only").isBlank());
		await().atMost(Duration.ofSeconds(10))
			.until(() -> etcd.etcdctl("get", "/distributed-lock/q/", "--prefix", "--keys-only").isBlank());
	}

	private static Duration firstGrant(LockEngine engine, long since) {
		for (int i = 0; i < 100; i++) {
			try {
				engine.acquire(LockRequest.of("probe", i).withTtl(Duration.ofSeconds(3))).close();
				return Duration.ofNanos(System.nanoTime() - since);
			}
			catch (LockException ex) {
				// Not yet.
			}
		}
		throw new AssertionError("No lock was granted any more");
	}

	private static void load(int threads, Duration time, Work work) throws InterruptedException {
		long end = System.nanoTime() + time.toNanos();
		List<Thread> running = new ArrayList<>();
		for (int i = 0; i < threads; i++) {
			int number = i;
			Thread thread = new Thread(() -> {
				while (System.nanoTime() - end < 0) {
					work.run(number);
				}
			});
			running.add(thread);
			thread.start();
		}
		for (Thread thread : running) {
			thread.join();
		}
	}

	/**
	 * Counts what etcd has written to its log.
	 */
	private static long proposals(EtcdServer etcd) throws IOException, InterruptedException {
		HttpRequest request = HttpRequest.newBuilder(URI.create(etcd.endpoint() + "/metrics")).build();
		return HttpClient.newHttpClient()
			.send(request, HttpResponse.BodyHandlers.ofString())
			.body()
			.lines()
			.filter((line) -> line.startsWith("etcd_server_proposals_committed_total"))
			.mapToLong((line) -> (long) Double.parseDouble(line.split(" ")[1]))
			.findFirst()
			.orElseThrow();
	}

	private interface Work {

		void run(int number);

	}

	/**
	 * What came of many calls, and resources that check their fencing tokens.
	 */
	private static final class Outcomes {

		static final Duration WAIT = Duration.ofSeconds(1);

		final Map<String, LongAdder> counts = new TreeMap<>(Map.of("success", new LongAdder(), "outage",
				new LongAdder(), "contention", new LongAdder(), "lost", new LongAdder()));

		final Queue<Throwable> unexpected = new ConcurrentLinkedQueue<>();

		final Map<Integer, Resource> resources = new ConcurrentHashMap<>();

		final AtomicLong longestCall = new AtomicLong();

		final AtomicLong lastSuccess = new AtomicLong(System.nanoTime());

		final AtomicLong longestGap = new AtomicLong();

		long count(String outcome) {
			return this.counts.get(outcome).sum();
		}

		void call(LockEngine engine, int key) {
			LockRequest request = LockRequest.of("resource", key).withTtl(Duration.ofSeconds(3)).withWaitTime(WAIT);
			long start = System.nanoTime();
			try {
				Lease lease = engine.acquire(request);
				this.longestCall.accumulateAndGet(System.nanoTime() - start, Math::max);
				this.resources.computeIfAbsent(key, (id) -> new Resource()).use(lease);
				boolean released = lease.release();
				this.counts.get(released ? "success" : "lost").increment();
				if (released) {
					long now = System.nanoTime();
					this.longestGap.accumulateAndGet(now - this.lastSuccess.getAndSet(now), Math::max);
				}
			}
			catch (LockStoreException ex) {
				this.longestCall.accumulateAndGet(System.nanoTime() - start, Math::max);
				this.counts.get("outage").increment();
			}
			catch (LockNotAcquiredException ex) {
				this.longestCall.accumulateAndGet(System.nanoTime() - start, Math::max);
				this.counts.get("contention").increment();
			}
			catch (LockException | IllegalStateException ex) {
				this.unexpected.add(ex);
			}
		}

	}

	/**
	 * Refuses tokens that are too low, as a database does, and notes when somebody comes
	 * who must not.
	 */
	private static final class Resource {

		final Queue<String> overlaps = new ConcurrentLinkedQueue<>();

		private final AtomicLong inside = new AtomicLong();

		private final AtomicLong highest = new AtomicLong();

		void use(Lease lease) {
			long token = lease.fencingToken();
			long other = this.inside.getAndSet(token);
			long before = this.highest.getAndAccumulate(token, Math::max);
			if (other != 0 && lease.isHeld()) {
				this.overlaps.add("Token " + token + " came while " + other + " was inside");
			}
			if (token <= before && lease.isHeld()) {
				this.overlaps.add("Token " + token + " came after " + before);
			}
			Thread.yield();
			this.inside.compareAndSet(token, 0);
		}

	}

}
