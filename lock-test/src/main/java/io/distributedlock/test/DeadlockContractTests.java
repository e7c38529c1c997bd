package io.distributedlock.test;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

import io.distributedlock.DeadlockDetectedException;
import io.distributedlock.DeadlockDetectedException.Participant;
import io.distributedlock.Lease;
import io.distributedlock.LockKey;
import io.distributedlock.LockListener;
import io.distributedlock.LockMode;
import io.distributedlock.LockNotAcquiredException;
import io.distributedlock.LockRequest;
import io.distributedlock.engine.LockEngine;
import io.distributedlock.spi.AttemptId;
import io.distributedlock.spi.LockStore;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

/**
 * Deadlocks of three JVMs over one store that carries messages: they are found, and
 * nothing else is. How long it takes goes to the log.
 */
public abstract class DeadlockContractTests {

	private static final Logger logger = LoggerFactory.getLogger(DeadlockContractTests.class);

	private static final int JVMS = 3;

	/** How often a cycle is made: what is measured at first is the warming up. */
	private static final int ROUNDS = Integer.getInteger("lock.test.deadlocks", 5);

	private static final Duration THRESHOLD = Duration.ofMillis(50);

	private final String run = AttemptId.random().toString().replaceAll("[^A-Za-z0-9]", "");

	private final List<LockEngine> engines = new ArrayList<>();

	private final ExecutorService threads = Executors.newCachedThreadPool();

	private final AtomicInteger deadlocks = new AtomicInteger();

	/**
	 * Makes the store of a JVM. All JVMs of a test use the same server.
	 * @param instance what the JVM is called
	 * @return the store, which the test closes
	 */
	protected abstract LockStore createStore(String instance);

	@BeforeEach
	void connect() {
		for (int i = 0; i < JVMS; i++) {
			this.engines.add(LockEngine.builder().store(createStore(instance(i))).listener(new LockListener() {
				@Override
				public void onDeadlock(LockKey key, String name, DeadlockDetectedException exception, Duration waited) {
					DeadlockContractTests.this.deadlocks.incrementAndGet();
				}
			}).build());
		}
	}

	@AfterEach
	void disconnect() {
		this.threads.shutdownNow();
		this.engines.forEach(LockEngine::close);
	}

	private String instance(int number) {
		return this.run + "-jvm-" + number;
	}

	private LockRequest lock(String name, int number) {
		return LockRequest.of(name, this.run, number % JVMS).withWaitTime(Duration.ofSeconds(15));
	}

	@Test
	void cyclesOverThreeJvmsAreFoundAsAWholeByTheLastToWait() throws Exception {
		List<Long> times = new ArrayList<>();
		for (int round = 0; round < ROUNDS; round++) {
			times.add(makeCycle("ring" + round).toMillis());
		}
		logger.info("{}: deadlocks over {} JVMs were found after {} ms, counted from the threshold",
				getClass().getSimpleName(), JVMS, times);
		assertThat(this.deadlocks).hasValue(ROUNDS);
	}

	private Duration makeCycle(String name) throws Exception {
		List<Future<Outcome>> outcomes = new ArrayList<>();
		List<CountDownLatch> goOn = new ArrayList<>();
		CountDownLatch held = new CountDownLatch(JVMS);
		for (int i = 0; i < JVMS; i++) {
			int number = i;
			CountDownLatch go = new CountDownLatch(1);
			goOn.add(go);
			outcomes.add(this.threads.submit(() -> {
				LockEngine engine = this.engines.get(number);
				Lease own = engine.acquire(lock(name, number));
				try {
					held.countDown();
					go.await();
					return waitFor(engine, lock(name, number + 1));
				}
				finally {
					own.release();
				}
			}));
		}
		held.await();
		for (int i = 0; i < JVMS; i++) {
			LockEngine engine = this.engines.get(i);
			Future<?> outcome = outcomes.get(i);
			goOn.get(i).countDown();
			await().pollInterval(Duration.ofMillis(2)).until(() -> outcome.isDone() || !engine.waiting().isEmpty());
		}
		Outcome last = outcomes.get(JVMS - 1).get(30, TimeUnit.SECONDS);
		List<Participant> cycle = (last.deadlock() != null) ? last.deadlock().cycle() : List.of();
		assertThat(cycle).as("callers in the circle")
			.extracting(Participant::instance)
			.containsExactly(instance(2), instance(0), instance(1));
		assertThat(cycle).extracting(Participant::holds).containsExactly(key(name, 2), key(name, 0), key(name, 1));
		assertThat(outcomes.get(0).get(30, TimeUnit.SECONDS).deadlock()).isNull();
		assertThat(outcomes.get(1).get(30, TimeUnit.SECONDS).deadlock()).isNull();
		return last.waited().minus(THRESHOLD);
	}

	private String key(String name, int number) {
		return LockKey.of(name, this.run, number).id();
	}

	private static Outcome waitFor(LockEngine engine, LockRequest request) {
		long began = System.nanoTime();
		try {
			engine.acquire(request).release();
			return new Outcome(null, Duration.ZERO);
		}
		catch (DeadlockDetectedException ex) {
			return new Outcome(ex, Duration.ofNanos(System.nanoTime() - began));
		}
	}

	/**
	 * Locks taken in order, for reading and for writing, held for so long that callers
	 * wait for longer than the threshold: none of them is in a deadlock.
	 */
	@Test
	void callersThatTakeLocksInOrderAreNeverInADeadlock() throws Exception {
		AtomicInteger taken = new AtomicInteger();
		long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(3);
		List<Future<?>> workers = new ArrayList<>();
		for (int i = 0; i < 3 * JVMS; i++) {
			LockEngine engine = this.engines.get(i % JVMS);
			Random random = new Random(i);
			workers.add(this.threads.submit(() -> {
				while (System.nanoTime() < end) {
					takeInOrder(engine, random, taken);
				}
				return null;
			}));
		}
		for (Future<?> worker : workers) {
			worker.get(60, TimeUnit.SECONDS);
		}
		assertThat(taken).hasPositiveValue();
		assertThat(this.deadlocks).hasValue(0);
	}

	private void takeInOrder(LockEngine engine, Random random, AtomicInteger taken) throws InterruptedException {
		List<Lease> leases = new ArrayList<>();
		try {
			for (int number = 0; number < JVMS; number++) {
				if (random.nextInt(3) > 0) {
					leases.add(engine.acquire(
							lock("order", number).withMode((random.nextInt(3) == 0) ? LockMode.READ : LockMode.WRITE)
								.withWaitTime(Duration.ofMillis(20 + random.nextInt(600)))));
					Thread.sleep(random.nextInt(25));
				}
			}
			taken.addAndGet(leases.size());
		}
		catch (LockNotAcquiredException ex) {
			// It may take too long, which is no deadlock.
		}
		finally {
			for (int i = leases.size() - 1; i >= 0; i--) {
				leases.get(i).release();
			}
		}
	}

	/**
	 * What became of a caller that waited.
	 *
	 * @param deadlock what it got instead of the lock, null if it got the lock
	 * @param waited how long it waited for the former
	 */
	private record Outcome(@Nullable DeadlockDetectedException deadlock, Duration waited) {
	}

}
