package io.distributedlock.store.zookeeper;

import java.io.BufferedReader;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;

import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
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
import io.distributedlock.spi.AttemptId;
import io.distributedlock.store.zookeeper.server.ZooKeeperServerProcess;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

/**
 * Readers, strict order, permits and several locks of three JVMs over one ZooKeeper.
 */
class KindsOnZooKeeperTests {

	private static final Logger logger = LoggerFactory.getLogger(KindsOnZooKeeperTests.class);

	private static final int JVMS = 3;

	private static ZooKeeperServerProcess server;

	private final Cluster cluster = new Cluster(server.connectString());

	private final List<LockEngine> engines = new ArrayList<>();

	private final ExecutorService threads = Executors.newCachedThreadPool();

	private final String key = AttemptId.random().toString();

	@BeforeAll
	static void start() {
		server = ZooKeeperServerProcess.start();
	}

	@AfterAll
	static void stop() {
		server.close();
	}

	@BeforeEach
	void connect() {
		for (int i = 0; i < JVMS; i++) {
			this.engines.add(this.cluster.engine("jvm-" + i));
		}
	}

	@AfterEach
	void disconnect() throws Exception {
		this.threads.shutdownNow();
		this.cluster.close();
	}

	private LockRequest request(Object... parts) {
		List<Object> all = new ArrayList<>(List.of(this.key));
		all.addAll(List.of(parts));
		return LockRequest.of("kinds", all.toArray()).withWaitTime(Duration.ofSeconds(20));
	}

	private void all(List<? extends Future<?>> futures) throws Exception {
		for (Future<?> future : futures) {
			future.get(60, TimeUnit.SECONDS);
		}
	}

	private void awaitNothingLeft(LockRequest request) {
		await().until(() -> this.engines.get(0).find(request.key(), null).isEmpty());
	}

	private Future<?> run(Callable<?> work) {
		return this.threads.submit(work);
	}

	@Test
	void readersRunTogetherAndWritersAloneAndNobodyStarves() throws Exception {
		LockRequest write = request("book");
		LockRequest read = write.withMode(LockMode.READ);
		AtomicInteger readers = new AtomicInteger();
		AtomicInteger writers = new AtomicInteger();
		AtomicInteger mostReaders = new AtomicInteger();
		ConcurrentLinkedQueue<String> violations = new ConcurrentLinkedQueue<>();
		long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(2);
		List<Future<?>> callers = new ArrayList<>();
		int[] reads = new int[12];
		for (int i = 0; i < reads.length; i++) {
			int number = i;
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
					reads[number]++;
					lease.close();
				}
				return null;
			}));
		}
		int[] writes = new int[JVMS];
		for (int i = 0; i < JVMS; i++) {
			int number = i;
			LockEngine jvm = this.engines.get(i);
			callers.add(run(() -> {
				while (System.nanoTime() < end) {
					Lease lease = jvm.acquire(write);
					if (writers.incrementAndGet() > 1 || readers.get() > 0) {
						violations.add("a writer that is not alone");
					}
					Thread.sleep(1);
					writers.decrementAndGet();
					writes[number]++;
					lease.close();
				}
				return null;
			}));
		}
		all(callers);
		logger.info("Reads {}, writes {}", Arrays.toString(reads), Arrays.toString(writes));
		assertThat(violations).isEmpty();
		assertThat(mostReaders.get()).isGreaterThan(2);
		assertThat(IntStream.of(writes).min().orElse(0)).as("writes of the JVM that wrote least").isGreaterThan(2);
		assertThat(IntStream.of(reads).min().orElse(0)).as("reads of the thread that read least").isGreaterThan(2);
		awaitNothingLeft(write);
	}

	@Test
	void callersInStrictOrderAreServedAsTheyCame() throws Exception {
		LockRequest fair = request("desk").withFair(true);
		ConcurrentLinkedQueue<Integer> served = new ConcurrentLinkedQueue<>();
		Lease holder = this.engines.get(0).acquire(fair.withOwner(LockOwner.create("holder")));
		List<Future<?>> callers = new ArrayList<>();
		for (int i = 0; i < 12; i++) {
			int number = i;
			LockEngine jvm = this.engines.get((i * 5) % 7 % 2);
			callers.add(run(() -> {
				Lease lease = jvm.acquire(fair);
				served.add(number);
				lease.close();
				return null;
			}));
			await().pollInterval(Duration.ofMillis(10)).until(() -> waiting(fair) == number + 1);
		}
		holder.close();
		all(callers);
		assertThat(served).containsExactly(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11);
		awaitNothingLeft(fair);
	}

	private int waiting(LockRequest request) {
		return this.engines.get(2).find(request.key(), null).orElseThrow().queue().size();
	}

	@Test
	void noMoreThanThePermitsAreHeld() throws Exception {
		LockRequest seat = request("seat").withPermits(3);
		AtomicInteger in = new AtomicInteger();
		AtomicInteger most = new AtomicInteger();
		List<Future<?>> callers = new ArrayList<>();
		for (int i = 0; i < 12; i++) {
			LockEngine jvm = this.engines.get(i % JVMS);
			callers.add(run(() -> {
				for (int j = 0; j < 8; j++) {
					Lease lease = jvm.acquire(seat);
					most.accumulateAndGet(in.incrementAndGet(), Math::max);
					// Long enough for three to meet.
					Thread.sleep(20);
					in.decrementAndGet();
					lease.close();
				}
				return null;
			}));
		}
		long began = System.nanoTime();
		all(callers);
		logger.info("96 turns of 12 callers of 3 JVMs with 3 permits took {} ms",
				Duration.ofNanos(System.nanoTime() - began).toMillis());
		assertThat(most).hasValue(3);
		awaitNothingLeft(seat);
	}

	@Test
	void transfersBetweenAccountsThatAreBothLockedLoseNoMoney() throws Exception {
		int[] balances = new int[6];
		Arrays.fill(balances, 1000);
		AtomicInteger[] inside = IntStream.range(0, balances.length)
			.mapToObj((i) -> new AtomicInteger())
			.toArray(AtomicInteger[]::new);
		List<Future<?>> callers = new ArrayList<>();
		for (int i = 0; i < 9; i++) {
			LockEngine jvm = this.engines.get(i % JVMS);
			Random random = new Random(i);
			callers.add(run(() -> {
				for (int j = 0; j < 20; j++) {
					transfer(jvm, random, balances, inside);
				}
				return null;
			}));
		}
		all(callers);
		assertThat(IntStream.of(balances).sum()).isEqualTo(6000);
		assertThat(balances).as("money that moved").isNotEqualTo(new int[] { 1000, 1000, 1000, 1000, 1000, 1000 });
	}

	private void transfer(LockEngine jvm, Random random, int[] balances, AtomicInteger[] inside) {
		int from = random.nextInt(balances.length);
		int to = (from + 1 + random.nextInt(balances.length - 1)) % balances.length;
		try (MultiLease leases = jvm.acquireAll(List.of(request("account", from), request("account", to)))) {
			assertThat(inside[from].incrementAndGet() + inside[to].incrementAndGet()).isEqualTo(2);
			int before = balances[from];
			Thread.yield();
			balances[from] = before - 1;
			balances[to] += 1;
			inside[from].decrementAndGet();
			inside[to].decrementAndGet();
			leases.assertHeld();
		}
	}

	@Test
	void aThousandLocksComeTogetherFasterThanOneByOne() {
		LockEngine jvm = this.engines.get(0);
		List<LockRequest> many = IntStream.range(0, 1000).mapToObj((i) -> request("many", i)).toList();
		jvm.acquireAll(many).close();
		long began = System.nanoTime();
		try (MultiLease leases = jvm.acquireAll(many)) {
			leases.assertHeld();
		}
		Duration together = Duration.ofNanos(System.nanoTime() - began);
		began = System.nanoTime();
		for (LockRequest one : many) {
			jvm.acquire(one).close();
		}
		Duration oneByOne = Duration.ofNanos(System.nanoTime() - began);
		logger.info("1,000 locks acquired and released: together {} ms, one by one {} ms", together.toMillis(),
				oneByOne.toMillis());
		assertThat(together).isLessThan(oneByOne);
	}

	@Test
	void longHoldsAreRenewedInWhateverKind() {
		Duration ttl = Duration.ofMillis(600);
		List<Lease> leases = List.of(this.engines.get(0).acquire(request("book").withMode(LockMode.READ).withTtl(ttl)),
				this.engines.get(0).acquire(request("desk").withFair(true).withTtl(ttl)),
				this.engines.get(0).acquire(request("seat").withPermits(2).withTtl(ttl)));
		long end = System.nanoTime() + ttl.multipliedBy(3).toNanos();
		await().until(() -> System.nanoTime() > end);
		assertThat(leases).allMatch(Lease::isHeld);
		assertThat(this.engines.get(1).tryAcquire(request("book").withWaitTime(Duration.ZERO))).isEmpty();
		leases.forEach(Lease::close);
		awaitNothingLeft(request("book"));
		awaitNothingLeft(request("seat"));
	}

	@Test
	void aReaderWhoseJvmDiesLetsTheWriterThatWaitsGoOnSoonAfterItsTtl() throws Exception {
		Duration ttl = Duration.ofSeconds(1);
		Process reader = new ProcessBuilder(System.getProperty("java.home") + "/bin/java", "-Xmx96m", "-cp",
				System.getProperty("java.class.path"), Reader.class.getName(), server.connectString(), this.key,
				String.valueOf(ttl.toMillis()))
			.redirectError(ProcessBuilder.Redirect.INHERIT)
			.start();
		try (BufferedReader output = reader.inputReader()) {
			long token = Long.parseLong(output.readLine());
			LockRequest write = request("book");
			Lease living = this.engines.get(0).acquire(write.withMode(LockMode.READ));
			Future<Lease> writer = this.threads.submit(() -> this.engines.get(1).acquire(write));
			await().until(() -> waiting(write) == 1);
			assertThat(this.engines.get(2).find(write.key(), null).orElseThrow().shares()).hasSize(2);
			reader.destroyForcibly().waitFor();
			long died = System.nanoTime();
			living.close();
			try (Lease lease = writer.get(20, TimeUnit.SECONDS)) {
				Duration taken = Duration.ofNanos(System.nanoTime() - died);
				logger.info("A reader's JVM with a ttl of {} ms was killed: the writer went on after {} ms",
						ttl.toMillis(), taken.toMillis());
				// Two ticks of margin, the leader looks once per tick, and the writer
				// asks again every 400 ms.
				assertThat(taken).isLessThan(ttl.plusSeconds(4));
				assertThat(lease.fencingToken()).isGreaterThan(token);
			}
			awaitNothingLeft(write);
		}
		finally {
			reader.destroyForcibly().waitFor();
		}
	}

	/**
	 * Reads until it is killed.
	 */
	static final class Reader {

		private Reader() {
		}

		public static void main(String[] arguments) throws InterruptedException {
			ZooKeeperLockStore store = ZooKeeperLockStore.builder(arguments[0]).tickTime(Duration.ofSeconds(1)).build();
			LockEngine engine = LockEngine.builder().store(store).build();
			Lease lease = engine.acquire(LockRequest.of("kinds", arguments[1], "book")
				.withMode(LockMode.READ)
				.withTtl(Duration.ofMillis(Long.parseLong(arguments[2]))));
			System.out.println(lease.fencingToken());
			while (lease.isHeld()) {
				TimeUnit.MILLISECONDS.sleep(20);
			}
			System.out.println("lost");
		}

	}

}
