package io.distributedlock.store.redis;

import java.io.BufferedReader;
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

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.data.redis.connection.RedisStandaloneConfiguration;
import org.springframework.data.redis.connection.lettuce.LettuceConnectionFactory;

import io.distributedlock.Lease;
import io.distributedlock.LeaseState;
import io.distributedlock.LockException;
import io.distributedlock.LockListener;
import io.distributedlock.LockLostException;
import io.distributedlock.LockNotAcquiredException;
import io.distributedlock.LockRequest;
import io.distributedlock.LockStoreException;
import io.distributedlock.engine.LockEngine;
import io.distributedlock.store.redis.server.RedisServerProcess;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

/**
 * The engine over a real Redis: what it costs, what it leaves behind, and what it does
 * when Redis goes away. The sizes are small enough for every build;
 * {@code -Dlock.test.seconds} and {@code -Dlock.test.keys} make them as large as one
 * likes. The figures go to the log.
 */
class EngineOnRedisTests {

	private static final Logger logger = LoggerFactory.getLogger(EngineOnRedisTests.class);

	private static final int SECONDS = Integer.getInteger("lock.test.seconds", 3);

	private static final int KEYS = Integer.getInteger("lock.test.keys", 20_000);

	private static final LockRequest HOT = LockRequest.of("stock", 42).withWaitTime(Duration.ofSeconds(20));

	private final RedisServerProcess redis = RedisServerProcess.start();

	private final List<AutoCloseable> resources = new ArrayList<>();

	private LockEngine engine(LockListener... listeners) {
		LettuceConnectionFactory application = new LettuceConnectionFactory(
				new RedisStandaloneConfiguration("127.0.0.1", this.redis.port()));
		application.afterPropertiesSet();
		application.start();
		LockEngine.Builder builder = LockEngine.builder().store(RedisLockStore.builder(application).build());
		for (LockListener listener : listeners) {
			builder.listener(listener);
		}
		LockEngine engine = builder.build();
		this.resources.add(engine);
		this.resources.add(application::destroy);
		return engine;
	}

	@AfterEach
	void close() throws Exception {
		for (AutoCloseable resource : this.resources) {
			resource.close();
		}
		this.redis.close();
	}

	@Test
	void aHotKeyCostsRedisAFractionOfACommandPerCriticalSectionAndAnotherJvmStillGetsItsTurn() throws Exception {
		LockEngine crowd = engine();
		// Connections and scripts are there before anything is counted.
		crowd.acquire(HOT).close();
		Load load = new Load(crowd, HOT, 64);
		double alone = load.commandsPerCycle(Duration.ofSeconds(SECONDS));
		Process rival = new ProcessBuilder(System.getProperty("java.home") + "/bin/java", "-Xmx128m", "-cp",
				System.getProperty("java.class.path"), Rival.class.getName(), String.valueOf(this.redis.port()),
				String.valueOf(SECONDS))
			.redirectError(ProcessBuilder.Redirect.INHERIT)
			.start();
		try (BufferedReader answer = rival.inputReader()) {
			assertThat(answer.readLine()).isEqualTo("ready");
			long shared = load.run(Duration.ofSeconds(SECONDS));
			String[] result = answer.readLine().split(" ");
			Duration longest = Duration.ofNanos(Long.parseLong(result[0]));
			int turns = Integer.parseInt(result[1]);
			logger.info(
					"Hot key, 64 threads: {} Redis commands per critical section ({} cycles/s); beside one thread of"
							+ " another JVM {} cycles/s, whose longest wait is {} ms in {} turns",
					String.format("%.3f", alone), load.cyclesAlone / SECONDS, shared / SECONDS, longest.toMillis(),
					turns);
			assertThat(alone).isPositive().isLessThanOrEqualTo(0.15);
			assertThat(turns).isGreaterThan(SECONDS);
			// 24 to 106 ms where little else ran.
			assertThat(longest).isLessThan(Duration.ofSeconds(3));
			assertThat(rival.waitFor()).isZero();
		}
		finally {
			rival.destroy();
		}
	}

	@Test
	void keysThatWereUsedOnceLeaveNothingBehind() {
		LockEngine engine = engine();
		for (int i = 0; i < 1000; i++) {
			engine.acquire(LockRequest.of("warm", i)).close();
		}
		long heapBefore = usedHeap();
		long start = System.nanoTime();
		for (int i = 0; i < KEYS; i++) {
			engine.acquire(LockRequest.of("once", i)).close();
		}
		long seconds = Math.max(1, Duration.ofNanos(System.nanoTime() - start).toSeconds());
		long grown = usedHeap() - heapBefore;
		String channels = this.redis.command("PUBSUB", "CHANNELS", "*");
		logger.info("{} keys one after the other: {} cycles/s, heap grown by {} KiB, Redis keys: {}, channels: {}",
				KEYS, KEYS / seconds, grown / 1024, this.redis.command("DBSIZE"), channels);
		assertThat(engine.held()).isEmpty();
		assertThat(engine.waiting()).isEmpty();
		assertThat(this.redis.command("DBSIZE")).contains("1");
		assertThat(this.redis.command("KEYS", "*")).contains("lock:mark");
		assertThat(grown).isLessThan(8 * 1024 * 1024);
	}

	@Test
	void whileRedisIsAwayEveryCallEndsInTimeAndAfterwardsAllWorksAgain() throws Exception {
		LockEngine engine = engine();
		Duration wait = Duration.ofMillis(800);
		Duration command = Duration.ofMillis(500);
		Map<String, LongAdder> outcomes = new TreeMap<>();
		for (String outcome : List.of("success", "outage", "contention", "lost")) {
			outcomes.put(outcome, new LongAdder());
		}
		Queue<Throwable> unexpected = new ConcurrentLinkedQueue<>();
		AtomicLong longest = new AtomicLong();
		CountDownLatch stop = new CountDownLatch(1);
		List<Thread> threads = new ArrayList<>();
		for (int i = 0; i < 32; i++) {
			Thread thread = new Thread(() -> {
				while (stop.getCount() > 0) {
					int key = ThreadLocalRandom.current().nextInt(8);
					LockRequest request = LockRequest.of("outage", key)
						.withTtl(Duration.ofSeconds(3))
						.withWaitTime(wait);
					long start = System.nanoTime();
					try {
						Lease lease = engine.acquire(request);
						longest.accumulateAndGet(System.nanoTime() - start, Math::max);
						outcomes.get(lease.release() ? "success" : "lost").increment();
					}
					catch (LockStoreException ex) {
						longest.accumulateAndGet(System.nanoTime() - start, Math::max);
						outcomes.get("outage").increment();
					}
					catch (LockNotAcquiredException ex) {
						longest.accumulateAndGet(System.nanoTime() - start, Math::max);
						outcomes.get("contention").increment();
					}
					catch (LockException | IllegalStateException ex) {
						unexpected.add(ex);
					}
				}
			});
			threads.add(thread);
			thread.start();
		}
		long successes = outcomes.get("success").sum();
		await().until(() -> outcomes.get("success").sum() > successes + 100);
		this.redis.kill();
		long outages = outcomes.get("outage").sum();
		await().atMost(Duration.ofSeconds(20)).until(() -> outcomes.get("outage").sum() > outages + 64);
		this.redis.restart();
		long after = outcomes.get("success").sum();
		await().atMost(Duration.ofSeconds(20)).until(() -> outcomes.get("success").sum() > after + 200);
		stop.countDown();
		for (Thread thread : threads) {
			thread.join();
		}
		logger.info("Redis killed and restarted under 32 threads: {}, longest call {} ms", outcomes,
				longest.get() / 1_000_000);
		assertThat(unexpected).isEmpty();
		assertThat(Duration.ofNanos(longest.get())).isLessThan(wait.plus(command).plusSeconds(2));
		await().atMost(Duration.ofSeconds(10)).until(() -> this.redis.command("KEYS", "lock:[^m]*").isBlank());
	}

	@Test
	void aMethodThatRunsThreeTimesItsTtlIsNeverOverlapped() throws Exception {
		LockEngine engine = engine();
		LockEngine other = engine();
		Duration ttl = Duration.ofMillis(600);
		Lease lease = engine.acquire(LockRequest.of("long").withTtl(ttl));
		long start = System.nanoTime();
		int tries = 0;
		while (System.nanoTime() - start < 3 * ttl.toNanos()) {
			assertThat(other.tryAcquire(LockRequest.of("long").withWaitTime(Duration.ZERO))).isEmpty();
			tries++;
		}
		assertThat(tries).isPositive();
		assertThat(lease.release()).isTrue();
		other.acquire(LockRequest.of("long")).close();
	}

	@Test
	void aHolderWhoseRecordIsDeletedBehindItsBackIsToldWithinOneRenewalInterval() {
		Queue<LockLostException> heard = new ConcurrentLinkedQueue<>();
		LockEngine engine = engine(new LockListener() {
			@Override
			public void onLost(Lease lease, LockLostException exception, Duration held) {
				heard.add(exception);
			}
		});
		Duration ttl = Duration.ofSeconds(6);
		Lease lease = engine.acquire(LockRequest.of("deleted").withTtl(ttl));
		AtomicLong told = new AtomicLong();
		lease.onLost((exception) -> told.set(System.nanoTime()));
		String record = this.redis.command("KEYS", "lock:*deleted*").trim();
		long deleted = System.nanoTime();
		this.redis.command("DEL", record);
		await().until(() -> told.get() != 0 && heard.size() == 1);
		Duration notice = Duration.ofNanos(told.get() - deleted);
		logger.info("Record deleted in Redis: the holder was told after {} ms (ttl {} ms)", notice.toMillis(),
				ttl.toMillis());
		// The second interval would end after another two seconds.
		assertThat(notice).isLessThan(ttl.dividedBy(3).plusMillis(1500));
		assertThat(lease.state()).isEqualTo(LeaseState.LOST);
		assertThat(lease.release()).isFalse();
		assertThat(heard).hasSize(1);
	}

	private static long usedHeap() {
		Runtime runtime = Runtime.getRuntime();
		for (int i = 0; i < 3; i++) {
			System.gc();
		}
		return runtime.totalMemory() - runtime.freeMemory();
	}

	/**
	 * One thread of another JVM that wants the hot key too. Prints "ready", and after the
	 * given time its longest wait in nanoseconds and how often it had the lock.
	 */
	static final class Rival {

		private Rival() {
		}

		public static void main(String[] arguments) {
			LettuceConnectionFactory application = new LettuceConnectionFactory(
					new RedisStandaloneConfiguration("127.0.0.1", Integer.parseInt(arguments[0])));
			try (LockEngine engine = LockEngine.builder().store(RedisLockStore.builder(application).build()).build()) {
				for (int i = 0; i < 100; i++) {
					engine.acquire(HOT).close();
				}
				System.out.println("ready");
				long longest = 0;
				int turns = 0;
				long end = System.nanoTime() + Duration.ofSeconds(Integer.parseInt(arguments[1])).toNanos();
				for (long start = System.nanoTime(); start < end; start = System.nanoTime()) {
					engine.acquire(HOT).close();
					longest = Math.max(longest, System.nanoTime() - start);
					turns++;
				}
				System.out.println(longest + " " + turns);
			}
		}

	}

	/**
	 * Threads that take and leave one key as fast as they can.
	 */
	private final class Load {

		private final LockEngine engine;

		private final LockRequest request;

		private final int threads;

		private long cyclesAlone;

		Load(LockEngine engine, LockRequest request, int threads) {
			this.engine = engine;
			this.request = request;
			this.threads = threads;
		}

		double commandsPerCycle(Duration time) throws InterruptedException {
			EngineOnRedisTests.this.redis.command("CONFIG", "RESETSTAT");
			this.cyclesAlone = run(time);
			long commands = EngineOnRedisTests.this.redis.command("INFO", "commandstats")
				.lines()
				.filter((line) -> line.startsWith("cmdstat_") && !line.startsWith("cmdstat_config")
						&& !line.startsWith("cmdstat_info") && !line.startsWith("cmdstat_ping"))
				.mapToLong((line) -> Long.parseLong(line.replaceAll(".*:calls=(\\d+),.*", "$1")))
				.sum();
			return (double) commands / this.cyclesAlone;
		}

		long run(Duration time) throws InterruptedException {
			LongAdder cycles = new LongAdder();
			long end = System.nanoTime() + time.toNanos();
			List<Thread> running = new ArrayList<>();
			for (int i = 0; i < this.threads; i++) {
				Thread thread = new Thread(() -> {
					while (System.nanoTime() < end) {
						this.engine.acquire(this.request).close();
						cycles.increment();
					}
				});
				running.add(thread);
				thread.start();
			}
			for (Thread thread : running) {
				thread.join();
			}
			return cycles.sum();
		}

	}

}
