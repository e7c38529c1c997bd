package io.distributedlock.test;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.UUID;
import java.util.concurrent.BrokenBarrierException;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicIntegerArray;
import java.util.stream.IntStream;

import io.distributedlock.Lease;
import io.distributedlock.LockInspector.StoredLock;
import io.distributedlock.LockMode;
import io.distributedlock.LockOwner;
import io.distributedlock.LockRequest;
import io.distributedlock.LockStoreException;
import io.distributedlock.engine.LockEngine;
import io.distributedlock.spi.FairLockStore;
import io.distributedlock.spi.InspectableLockStore;
import io.distributedlock.spi.LockStore;
import io.distributedlock.spi.SharedLockStore;
import org.awaitility.Awaitility;
import org.awaitility.core.ConditionFactory;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

/**
 * What three JVMs over one server must see of every kind of lock: readers and writers,
 * strict order, permits, and several locks at once. {@link LockStoreContractTests} and
 * its suites ask a store for single answers; this suite lets engines with many callers
 * run over it. The test of a store extends this class if the store is a
 * {@link SharedLockStore}, a {@link FairLockStore} and an {@link InspectableLockStore}.
 * <p>
 * Nothing here depends on who is fast: what must happen is waited for, and what must not
 * happen is looked for while all that could allow it is in place.
 */
public abstract class KindsContractTests {

	private static final int JVMS = 3;

	private static final int CALLERS = 12;

	private static final int PERMITS = 3;

	/** Of each of the callers that {@link TransferRace} has. */
	private static final int TRANSFERS = 10;

	/** How long a permit is held after all are: time for one too many to come in. */
	private static final Duration HOLD = Duration.ofMillis(5);

	private static final Duration PATIENCE = Duration.ofSeconds(60);

	private final List<LockEngine> engines = new ArrayList<>();

	private final List<AutoCloseable> resources = new ArrayList<>();

	private final ExecutorService threads = Executors.newCachedThreadPool();

	private final String unique = UUID.randomUUID().toString();

	/**
	 * Makes the test.
	 */
	protected KindsContractTests() {
	}

	/**
	 * Connects a JVM to the server under test, with connections of its own. The store is
	 * closed after the test, with its engine.
	 * @param instance what the JVM is called where holders and waiters are shown
	 * @return a new store
	 */
	protected abstract LockStore createStore(String instance);

	/**
	 * Demands that the server has nothing left of the locks of a test, all of which were
	 * released. Asked again until it does not fail, since places in queues may be cleared
	 * late.
	 * @throws Exception if the server does not tell
	 */
	protected abstract void assertNothingLeft() throws Exception;

	/**
	 * Returns for how long leases are held that only renewals keep.
	 * @return a time that is longer than anything the server remembers without renewals;
	 * their ttl is at most 2.4 s
	 */
	protected Duration longHold() {
		return Duration.ofSeconds(3);
	}

	/**
	 * Closes something after the test, when the engines have ended.
	 * @param <T> its type
	 * @param resource what a store works with, and does not close itself
	 * @return the resource
	 */
	protected final <T extends AutoCloseable> T closing(T resource) {
		this.resources.add(0, resource);
		return resource;
	}

	/**
	 * Returns a JVM of the cluster under test.
	 * @param number 0 to 2
	 * @return the engine
	 */
	protected final LockEngine jvm(int number) {
		return this.engines.get(number % JVMS);
	}

	/**
	 * Returns a request for a lock that no other test uses, by a caller who has patience.
	 * @param parts of the key
	 * @return the request
	 */
	protected final LockRequest request(Object... parts) {
		List<Object> all = new ArrayList<>(List.of(this.unique));
		all.addAll(List.of(parts));
		return LockRequest.of("kinds", all.toArray()).withWaitTime(PATIENCE);
	}

	/**
	 * Runs work on a thread, which is an owner, of its own.
	 * @param <T> what comes of it
	 * @param work the work
	 * @return its outcome
	 */
	protected final <T> Future<T> run(Callable<T> work) {
		return this.threads.submit(work);
	}

	/**
	 * Waits until all callers have ended, and nothing is left on the server.
	 * @param callers what {@link #run} returned
	 * @throws Exception what one of them threw
	 */
	protected final void all(List<? extends Future<?>> callers) throws Exception {
		for (Future<?> caller : callers) {
			caller.get(PATIENCE.toSeconds(), TimeUnit.SECONDS);
		}
		eventually().untilAsserted(this::assertNothingLeft);
	}

	/**
	 * Acquires a lock that is free. With a short ttl a command has little time, in which
	 * a busy machine may not answer, and the caller asks again.
	 * @param jvm who asks
	 * @param request for what
	 * @return the lease
	 */
	protected static Lease acquire(LockEngine jvm, LockRequest request) {
		long begun = System.nanoTime();
		while (true) {
			try {
				return jvm.acquire(request);
			}
			catch (LockStoreException ex) {
				if (System.nanoTime() - begun > PATIENCE.toNanos()) {
					throw ex;
				}
			}
		}
	}

	/**
	 * Waits, longer than the slowest machine needs.
	 * @return the beginning of a wait
	 */
	protected static ConditionFactory eventually() {
		return Awaitility.await().pollDelay(Duration.ZERO).pollInterval(Duration.ofMillis(10)).atMost(PATIENCE);
	}

	@BeforeEach
	final void connect() {
		for (int i = 0; i < JVMS; i++) {
			this.engines
				.add(LockEngine.builder().store(createStore("jvm-" + i)).commandTimeout(Duration.ofSeconds(5)).build());
		}
	}

	@AfterEach
	final void disconnect() throws Exception {
		this.threads.shutdownNow();
		this.engines.forEach(LockEngine::close);
		for (AutoCloseable resource : this.resources) {
			resource.close();
		}
	}

	private void assertRefusedEverywhere(LockRequest request) {
		LockRequest late = request.withWaitTime(Duration.ZERO).withOwner(LockOwner.create("late"));
		for (LockEngine jvm : this.engines) {
			assertThat(jvm.tryAcquire(late)).as("what one who comes late gets").isEmpty();
		}
	}

	/**
	 * Counts the places in the queue of a lock that is held.
	 * @param request for the lock
	 * @return how many wait, as an operator sees it
	 */
	protected final int queued(LockRequest request) {
		return jvm(0).find(request.key(), null).orElseThrow().queue().size();
	}

	@Test
	void readersOfAllJvmsAreInAtOnceAndAWriterWaitsForTheLast() throws Exception {
		LockRequest write = request("book");
		LockRequest read = write.withMode(LockMode.READ);
		CountDownLatch in = new CountDownLatch(CALLERS);
		CountDownLatch leave = new CountDownLatch(1);
		AtomicInteger readers = new AtomicInteger();
		List<Future<?>> callers = new ArrayList<>();
		for (int i = 0; i < CALLERS; i++) {
			LockEngine jvm = jvm(i);
			callers.add(run(() -> {
				try (Lease lease = jvm.acquire(read)) {
					readers.incrementAndGet();
					in.countDown();
					leave.await();
					readers.decrementAndGet();
					lease.assertHeld();
				}
				return null;
			}));
		}
		assertThat(in.await(PATIENCE.toSeconds(), TimeUnit.SECONDS)).as("all readers are in at once").isTrue();
		assertRefusedEverywhere(write);
		callers.add(run(() -> {
			try (Lease lease = jvm(1).acquire(write)) {
				assertThat(readers).as("readers within the writer").hasValue(0);
				lease.assertHeld();
			}
			return null;
		}));
		eventually().until(() -> queued(write) == 1);
		leave.countDown();
		all(callers);
	}

	@Test
	void readersRunTogetherAndWritersAloneAndNobodyStarves() throws Exception {
		LockRequest write = request("book");
		Crowd crowd = new Crowd();
		List<Future<?>> callers = new ArrayList<>();
		for (int i = 0; i < CALLERS + JVMS; i++) {
			int number = i;
			LockMode mode = (i < CALLERS) ? LockMode.READ : LockMode.WRITE;
			callers.add(run(() -> {
				while (crowd.goesOn()) {
					try (Lease lease = jvm(number).acquire(write.withMode(mode))) {
						crowd.enter(number, mode);
						Thread.sleep(1);
						crowd.leave(mode);
						lease.assertHeld();
					}
				}
				return null;
			}));
		}
		all(callers);
		assertThat(crowd.violations).isEmpty();
		assertThat(crowd.leastTurns()).as("turns of each of %s", crowd.turns).isGreaterThanOrEqualTo(Crowd.TURNS);
		assertThat(crowd.mostReaders.get()).as("readers at once").isGreaterThan(2);
	}

	@Test
	void writersThatGoOnReadingLetOnlyReadersIn() throws Exception {
		LockRequest write = request("book");
		LockRequest read = write.withMode(LockMode.READ);
		Crowd crowd = new Crowd();
		List<Future<?>> callers = new ArrayList<>();
		for (int i = 0; i < CALLERS + JVMS; i++) {
			int number = i;
			boolean writes = i >= CALLERS;
			callers.add(run(() -> {
				LockEngine jvm = jvm(number);
				while (crowd.goesOn()) {
					Lease writer = writes ? jvm.acquire(write) : null;
					try (Lease reader = jvm.acquire(read)) {
						if (writer != null) {
							crowd.enter(number, LockMode.WRITE);
							Thread.sleep(1);
							crowd.leave(LockMode.WRITE);
							crowd.enter(number, LockMode.READ);
							writer.close();
							assertThat(reader.fencingToken()).isEqualTo(writer.fencingToken());
						}
						else {
							crowd.enter(number, LockMode.READ);
						}
						Thread.sleep(1);
						crowd.leave(LockMode.READ);
						reader.assertHeld();
					}
				}
				return null;
			}));
		}
		all(callers);
		assertThat(crowd.violations).isEmpty();
		assertThat(crowd.leastTurns()).as("turns of each of %s", crowd.turns).isGreaterThanOrEqualTo(Crowd.TURNS);
	}

	@Test
	void callersInStrictOrderAreServedAsTheyCame() throws Exception {
		LockRequest fair = request("desk").withFair(true);
		Queue<Integer> served = new ConcurrentLinkedQueue<>();
		Lease holder = jvm(0).acquire(fair.withOwner(LockOwner.create("holder")));
		List<Future<?>> callers = new ArrayList<>();
		for (int i = 0; i < CALLERS; i++) {
			int number = i;
			LockEngine jvm = jvm((i * 5) % 7);
			callers.add(run(() -> {
				try (Lease lease = jvm.acquire(fair)) {
					served.add(number);
					lease.assertHeld();
				}
				return null;
			}));
			eventually().until(() -> queued(fair) == number + 1);
		}
		holder.close();
		all(callers);
		assertThat(served).containsExactlyElementsOf(IntStream.range(0, CALLERS).boxed().toList());
	}

	@Test
	void allPermitsAreHeldAtOnceAndNeverOneMore() throws Exception {
		LockRequest seat = request("seat").withPermits(PERMITS);
		AtomicInteger begun = new AtomicInteger();
		AtomicInteger in = new AtomicInteger();
		AtomicInteger most = new AtomicInteger();
		CyclicBarrier full = new CyclicBarrier(PERMITS);
		List<Future<?>> callers = new ArrayList<>();
		for (int i = 0; i < CALLERS; i++) {
			LockEngine jvm = jvm(i);
			callers.add(run(() -> {
				// A holder waits until all permits are held. Turns are taken from one
				// heap, since nobody may wait for a turn that his own is to be followed
				// by.
				while (begun.getAndIncrement() < PERMITS * CALLERS) {
					try (Lease lease = jvm.acquire(seat)) {
						most.accumulateAndGet(in.incrementAndGet(), Math::max);
						awaitAll(full);
						Thread.sleep(HOLD.toMillis());
						in.decrementAndGet();
						lease.assertHeld();
					}
				}
				return null;
			}));
		}
		all(callers);
		assertThat(most).as("holders at once").hasValue(PERMITS);
	}

	private static void awaitAll(CyclicBarrier permits) throws InterruptedException {
		try {
			permits.await(PATIENCE.toSeconds() / 2, TimeUnit.SECONDS);
		}
		catch (TimeoutException | BrokenBarrierException ex) {
			throw new AssertionError("The " + PERMITS + " permits could not all be held at once", ex);
		}
	}

	@Test
	void whileAllPermitsAreHeldNobodyGetsOneAndEachThatComesBackLetsOneIn() throws Exception {
		LockRequest seat = request("seat").withPermits(PERMITS);
		List<Lease> leases = new ArrayList<>();
		for (int i = 0; i < PERMITS; i++) {
			leases.add(jvm(i).acquire(seat.withOwner(LockOwner.create("holder"))));
		}
		assertRefusedEverywhere(seat);
		CountDownLatch leave = new CountDownLatch(1);
		AtomicInteger in = new AtomicInteger();
		List<Future<?>> callers = new ArrayList<>();
		for (int i = 0; i < JVMS; i++) {
			LockEngine jvm = jvm(i);
			callers.add(run(() -> {
				try (Lease lease = jvm.acquire(seat)) {
					in.incrementAndGet();
					leave.await();
					lease.assertHeld();
				}
				return null;
			}));
		}
		eventually().until(() -> queued(seat) == JVMS);
		for (int back = 0; back < PERMITS; back++) {
			assertThat(in).as("callers that are in after %d permits came back", back).hasValue(back);
			leases.get(back).close();
			int expected = back + 1;
			eventually().until(() -> in.get() == expected);
			assertRefusedEverywhere(seat);
		}
		leave.countDown();
		all(callers);
	}

	@Test
	void moneyMovesUnderLocksOfEveryKindTogetherAndNoneIsLost() throws Exception {
		TransferRace race = new TransferRace(this.engines);
		race.run(TRANSFERS);
		// Those that do not wait may have got nothing.
		assertThat(race.done()).isGreaterThanOrEqualTo(JVMS * 6 * TRANSFERS);
		all(List.of());
		assertThat(this.engines).allSatisfy((engine) -> {
			assertThat(engine.held()).isEmpty();
			assertThat(engine.waiting()).isEmpty();
		});
	}

	@Test
	void longHoldsAreRenewedInWhateverKindAndShownToOperators() throws Exception {
		Duration ttl = Duration.ofSeconds(2);
		LockRequest write = request("book");
		LockRequest read = write.withMode(LockMode.READ).withTtl(ttl);
		List<Lease> leases = List.of(acquire(jvm(0), read), acquire(jvm(1), read),
				acquire(jvm(2), read.withTtl(ttl.plusMillis(400))),
				acquire(jvm(0), request("desk").withFair(true).withTtl(ttl)),
				acquire(jvm(0), request("seat").withPermits(2).withTtl(ttl)));
		Awaitility.await().pollDelay(longHold()).atMost(longHold().plus(PATIENCE)).until(() -> true);
		assertThat(leases).allMatch(Lease::isHeld);
		assertRefusedEverywhere(write);
		StoredLock seen = jvm(2).find(write.key(), null).orElseThrow();
		assertThat(seen.state()).isEqualTo(StoredLock.State.SHARED);
		assertThat(seen.shares()).extracting((share) -> share.instance() + " " + share.state())
			.containsExactlyInAnyOrder("jvm-0 HELD", "jvm-1 HELD", "jvm-2 HELD");
		assertThatExceptionOfType(AssertionError.class).as("what is left while leases are held")
			.isThrownBy(this::assertNothingLeft);
		leases.forEach(Lease::close);
		all(List.of());
	}

	/**
	 * Readers and writers that compete for a while, and go on until each has had its
	 * turns: who starves shows by having had too few after {@link #PATIENCE}.
	 */
	private static final class Crowd {

		static final int TURNS = 5;

		private final long begun = System.nanoTime();

		private final AtomicInteger readers = new AtomicInteger();

		private final AtomicInteger writers = new AtomicInteger();

		private final AtomicInteger mostReaders = new AtomicInteger();

		private final AtomicIntegerArray turns = new AtomicIntegerArray(CALLERS + JVMS);

		private final Queue<String> violations = new ConcurrentLinkedQueue<>();

		boolean goesOn() {
			Duration time = Duration.ofNanos(System.nanoTime() - this.begun);
			boolean shown = leastTurns() >= TURNS && this.mostReaders.get() > 2;
			return time.toMillis() < 1500 || !shown && time.compareTo(PATIENCE.dividedBy(2)) < 0;
		}

		int leastTurns() {
			return IntStream.range(0, this.turns.length()).map(this.turns::get).min().orElseThrow();
		}

		void enter(int number, LockMode mode) {
			if (mode == LockMode.READ) {
				this.mostReaders.accumulateAndGet(this.readers.incrementAndGet(), Math::max);
				if (this.writers.get() > 0) {
					this.violations.add("a reader within a writer");
				}
			}
			else if (this.writers.incrementAndGet() > 1 || this.readers.get() > 0) {
				this.violations.add("a writer that is not alone");
			}
			this.turns.incrementAndGet(number);
		}

		void leave(LockMode mode) {
			((mode == LockMode.READ) ? this.readers : this.writers).decrementAndGet();
		}

	}

}
