package io.distributedlock.engine;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

import io.distributedlock.Lease;
import io.distributedlock.LockContext;
import io.distributedlock.LockException;
import io.distributedlock.LockKey;
import io.distributedlock.LockListener;
import io.distributedlock.LockLostException;
import io.distributedlock.LockNotAcquiredException;
import io.distributedlock.LockRequest;
import io.distributedlock.LockStoreException;
import io.distributedlock.spi.StoreException;
import io.distributedlock.test.CommandKind;
import io.distributedlock.test.Fault;
import io.distributedlock.test.FaultyLockStore;
import io.distributedlock.test.InMemoryLockServer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

/**
 * Three instances do everything at once that callers may do, over a network that loses
 * and delays: nested, asynchronous and cancelled acquires, interrupts, mixed settings on
 * one key. The seed fixes what callers and network do, not how threads interleave.
 */
@Timeout(30)
class EngineReviewStressTests {

	private static final Duration RUN = Duration.ofMillis(2500);

	private static final Duration COMMAND_TIMEOUT = Duration.ofMillis(150);

	/** What a loaded machine may take to run a thread that was woken. */
	private static final Duration SLACK = Duration.ofSeconds(2);

	private static final int KEYS = 3;

	private final InMemoryLockServer server = InMemoryLockServer.create();

	private final ScheduledThreadPoolExecutor network = new ScheduledThreadPoolExecutor(2);

	private final List<FaultyLockStore> stores = new ArrayList<>();

	private final List<LockEngine> engines = new ArrayList<>();

	private final ExecutorService threads = Executors.newCachedThreadPool();

	private final Queue<Interval> intervals = new ConcurrentLinkedQueue<>();

	private final Queue<String> late = new ConcurrentLinkedQueue<>();

	private final Counts counts = new Counts();

	@AfterEach
	void closeAll() {
		this.engines.forEach(LockEngine::close);
		this.threads.shutdownNow();
		this.network.shutdownNow();
	}

	@ParameterizedTest
	@ValueSource(longs = { 301, 304, 1001 })
	void whateverCallersAndNetworkDoHoldersNeverOverlapAndNothingIsLeft(long seed) throws Exception {
		for (int i = 0; i < 3; i++) {
			start("jvm-" + i, new Random(seed + i));
		}
		long end = System.nanoTime() + RUN.toNanos();
		List<Thread> workers = new ArrayList<>();
		List<Future<?>> results = new ArrayList<>();
		for (int i = 0; i < 24; i++) {
			Worker worker = new Worker(this.engines.get(i % 3), new Random(31 * seed + i), end);
			FutureThread thread = new FutureThread(worker);
			workers.add(thread);
			results.add(thread.result);
		}
		workers.forEach(Thread::start);
		Random interrupts = new Random(seed);
		while (System.nanoTime() - end < 0) {
			LockSupport.parkNanos(20_000_000);
			workers.get(interrupts.nextInt(workers.size())).interrupt();
		}
		for (Future<?> result : results) {
			result.get(30, TimeUnit.SECONDS);
		}
		this.stores.forEach(FaultyLockStore::heal);
		assertThat(this.intervals).as("leases").hasSizeGreaterThan(100);
		assertThat(this.late).as("callers that came back late, seed %s", seed).isEmpty();
		assertHoldersAreApart();
		await().atMost(Duration.ofSeconds(10))
			.untilAsserted(() -> assertThat(this.engines).as("seed %s", seed)
				.allSatisfy((engine) -> assertThat(engine.gateCount()).as("gates").isZero()));
		await().atMost(Duration.ofSeconds(10))
			.untilAsserted(
					() -> assertThat(this.server.size()).as("keys in the store, seed %s: %s", seed, left()).isZero());
		await().atMost(Duration.ofSeconds(10)).untilAsserted(this.counts::assertBalanced);
	}

	private List<String> left() {
		return IntStream.range(0, KEYS)
			.mapToObj(
					(i) -> this.engines.get(0).find(LockKey.of("stock", i), null).map(Object::toString).orElse("free"))
			.toList();
	}

	private void assertHoldersAreApart() {
		Map<LockKey, List<Interval>> byKey = this.intervals.stream().collect(Collectors.groupingBy(Interval::key));
		byKey.values().forEach((all) -> {
			all.sort(Comparator.comparingLong((interval) -> interval.from - this.intervals.peek().from));
			for (int i = 1; i < all.size(); i++) {
				Interval before = all.get(i - 1);
				Interval after = all.get(i);
				assertThat(after.from - before.to).as("%s begins after %s", after, before).isPositive();
				assertThat(after.token).as("%s comes after %s", after, before).isGreaterThan(before.token);
			}
		});
	}

	private void start(String instance, Random random) {
		FaultyLockStore store = FaultyLockStore
			.around(this.server.connect(instance, this.network, () -> Duration.ofNanos(random.nextInt(500_000))));
		store.otherwise((kind) -> fault(kind, random)).loseSignals(() -> random.nextInt(10) == 0);
		this.stores.add(store);
		this.engines.add(LockEngine.builder()
			.store(store.store())
			.commandTimeout(COMMAND_TIMEOUT)
			.recheck(Duration.ofMillis(100))
			.listener(this.counts)
			.build());
	}

	private static Fault fault(CommandKind kind, Random random) {
		return switch (random.nextInt(100)) {
			case 0 -> Fault.dropRequest();
			case 1 -> Fault.dropReply();
			case 2, 3 -> Fault.delay(Duration.ofMillis(random.nextInt(40)));
			case 4 -> Fault.failBefore(new StoreException("planned, " + kind, false, true, null));
			case 5 -> Fault.failAfter(new StoreException("planned, " + kind, true, true, null));
			default -> Fault.none();
		};
	}

	private record Interval(LockKey key, long from, long to, long token, String how) {
	}

	private static final class FutureThread extends Thread {

		private final CompletableFuture<Void> result = new CompletableFuture<>();

		private final Callable<Void> work;

		FutureThread(Callable<Void> work) {
			this.work = work;
		}

		@Override
		public void run() {
			try {
				this.result.complete(this.work.call());
			}
			catch (Throwable ex) {
				this.result.completeExceptionally(ex);
			}
		}

	}

	/**
	 * One caller, which does one thing after the other.
	 */
	private final class Worker implements Callable<Void> {

		private final LockEngine engine;

		private final Random random;

		private final long end;

		Worker(LockEngine engine, Random random, long end) {
			this.engine = engine;
			this.random = random;
			this.end = end;
		}

		@Override
		public Void call() {
			while (System.nanoTime() - this.end < 0) {
				LockRequest request = request();
				try {
					switch (this.random.nextInt(10)) {
						case 0, 1 -> asynchronous(request, false);
						case 2 -> asynchronous(request, true);
						case 3, 4 -> blocking(request, true);
						default -> blocking(request, false);
					}
				}
				catch (LockNotAcquiredException ex) {
					boolean interrupted = ex.reason() == LockNotAcquiredException.Reason.INTERRUPTED;
					assertThat(Thread.interrupted() || !interrupted).as("the flag is kept").isTrue();
				}
				catch (LockStoreException | LockLostException ex) {
					Thread.interrupted();
				}
			}
			Thread.interrupted();
			assertThat(LockContext.leases()).as("leases of a caller that has closed all").isEmpty();
			return null;
		}

		private LockRequest request() {
			int[] ttls = { 500, 2000, 30_000 };
			LockRequest request = LockRequest.of("stock", this.random.nextInt(KEYS))
				.withTtl(Duration.ofMillis(ttls[this.random.nextInt(ttls.length)]))
				.withWaitTime(Duration.ofMillis(this.random.nextInt(4) * 100))
				.withRenew(this.random.nextInt(3) > 0);
			return (this.random.nextInt(20) == 0) ? request.withMinHold(Duration.ofMillis(20)) : request;
		}

		private void blocking(LockRequest request, boolean nested) {
			long start = System.nanoTime();
			Lease lease;
			try {
				lease = this.engine.acquire(request);
			}
			finally {
				judge(request, start);
			}
			hold(lease, nested, () -> {
				Lease inner = this.engine.acquire(request().withTtl(Duration.ofSeconds(2)));
				work();
				closeQuietly(inner);
			});
		}

		private void asynchronous(LockRequest request, boolean cancel) {
			long start = System.nanoTime();
			CompletableFuture<Lease> future = this.engine.acquireAsync(request);
			if (cancel) {
				LockSupport.parkNanos(this.random.nextInt(20_000_000));
				if (future.cancel(true)) {
					return;
				}
			}
			try {
				Lease lease = future.join();
				judge(request, start);
				hold(lease, false, () -> {
				});
			}
			catch (CompletionException ex) {
				judge(request, start);
				if (ex.getCause() instanceof LockException failure) {
					throw failure;
				}
				throw ex;
			}
			catch (CancellationException ex) {
				throw new AssertionError("Nobody has cancelled it", ex);
			}
		}

		private void hold(Lease lease, boolean nested, Runnable inner) {
			long from = System.nanoTime();
			boolean heldAtStart = lease.isHeld();
			work();
			try {
				if (nested) {
					inner.run();
				}
			}
			catch (LockException ex) {
				Thread.interrupted();
			}
			finally {
				long to = System.nanoTime();
				if (heldAtStart && lease.isHeld()) {
					EngineReviewStressTests.this.intervals
						.add(new Interval(lease.key(), from, to, lease.fencingToken(), lease.toString()));
				}
				closeQuietly(lease);
			}
		}

		private void closeQuietly(Lease lease) {
			if (this.random.nextBoolean()) {
				lease.release();
			}
			else {
				lease.releaseAsync().toCompletableFuture().join();
			}
		}

		private void work() {
			int kind = this.random.nextInt(400);
			if (kind == 0) {
				LockSupport.parkNanos(600_000_000);
			}
			else if (kind < 100) {
				LockSupport.parkNanos(ThreadLocalRandom.current().nextInt(1_000_000));
			}
		}

		private void judge(LockRequest request, long start) {
			Duration took = Duration.ofNanos(System.nanoTime() - start);
			Duration limit = request.settings().waitTime().plus(COMMAND_TIMEOUT).plusMillis(100).plus(SLACK);
			if (took.compareTo(limit) > 0) {
				EngineReviewStressTests.this.late.add(took + " instead of " + limit + " for " + request);
			}
		}

	}

	/**
	 * Events that must come in pairs.
	 */
	private static final class Counts implements LockListener {

		private final AtomicInteger open = new AtomicInteger();

		private final AtomicInteger waiting = new AtomicInteger();

		@Override
		public void onWaiting(LockKey key, String store) {
			this.waiting.incrementAndGet();
		}

		@Override
		public void onWaitingEnded(LockKey key, String store) {
			this.waiting.decrementAndGet();
		}

		@Override
		public void onAcquired(Lease lease, Duration waited) {
			this.open.incrementAndGet();
		}

		@Override
		public void onReleased(Lease lease, Duration held) {
			this.open.decrementAndGet();
		}

		@Override
		public void onLost(Lease lease, LockLostException exception, Duration held) {
			this.open.decrementAndGet();
		}

		void assertBalanced() {
			assertThat(this.open).as("acquired but neither released nor lost").hasValue(0);
			assertThat(this.waiting).as("callers that still wait").hasValue(0);
		}

	}

}
