package io.distributedlock.engine;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;

import io.distributedlock.Lease;
import io.distributedlock.LockNotAcquiredException;
import io.distributedlock.LockPolicy;
import io.distributedlock.OnOutage;
import io.distributedlock.spi.AbandonCommand;
import io.distributedlock.spi.AcquireCommand;
import io.distributedlock.spi.AcquireReply;
import io.distributedlock.spi.ExtendCommand;
import io.distributedlock.spi.ExtendReply;
import io.distributedlock.spi.LockStore;
import io.distributedlock.spi.ReleaseCommand;
import io.distributedlock.spi.ReleaseReply;
import io.distributedlock.spi.RenewCommand;
import io.distributedlock.spi.RenewReply;
import io.distributedlock.spi.StoreException;
import io.distributedlock.test.Fault;
import io.distributedlock.test.FaultyLockStore;
import io.distributedlock.test.ManualTicker;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

/**
 * Stores without a queue: JVMs ask again and again, and must leave each other a chance.
 */
@Tag("E8")
class PollingStoreTests extends EngineFixture {

	private static final Duration RUN = Duration.ofSeconds(3);

	private final AtomicInteger inside = new AtomicInteger();

	@Test
	void everyJvmGetsItsTurnsThoughTheStoreHasNoQueue() throws Exception {
		List<LockEngine> jvms = List.of(polling("a"), polling("b"), polling("c"));
		List<AtomicLong> turns = new ArrayList<>();
		AtomicLong longest = new AtomicLong();
		long end = System.nanoTime() + RUN.toNanos();
		List<Future<?>> workers = new ArrayList<>();
		for (LockEngine jvm : jvms) {
			AtomicLong leases = new AtomicLong();
			turns.add(leases);
			for (int i = 0; i < 4; i++) {
				workers.add(onThread(() -> {
					work(jvm, end, leases, longest);
					return null;
				}));
			}
		}
		for (Future<?> worker : workers) {
			worker.get();
		}
		assertThat(Duration.ofNanos(longest.get())).as("longest wait of one call").isLessThan(Duration.ofMillis(2500));
		long all = turns.stream().mapToLong(AtomicLong::get).sum();
		// Who is first to ask after a turn is a matter of chance.
		assertThat(turns).as("leases of each JVM, of %s", all)
			.allSatisfy((leases) -> assertThat(leases.get()).isGreaterThan(all / 50));
	}

	@Test
	void aLoneJvmUsesMostOfTheTime() throws Exception {
		LockEngine jvm = polling("a");
		AtomicLong leases = new AtomicLong();
		AtomicLong longest = new AtomicLong();
		AtomicLong busy = new AtomicLong();
		long start = System.nanoTime();
		List<Future<?>> workers = new ArrayList<>();
		for (int i = 0; i < 4; i++) {
			workers.add(onThread(() -> {
				while (System.nanoTime() - start < RUN.toNanos()) {
					try (Lease lease = jvm.acquire(stock())) {
						long begun = System.nanoTime();
						LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(2));
						busy.addAndGet(System.nanoTime() - begun);
						leases.addAndGet((lease.fencingToken() > 0) ? 1 : 0);
					}
				}
				return null;
			}));
		}
		for (Future<?> worker : workers) {
			worker.get();
		}
		assertThat(Duration.ofNanos(busy.get())).as("time the lock was held, in %s leases", leases)
			.isGreaterThan(RUN.dividedBy(2));
		assertThat(longest).hasValue(0);
	}

	@Test
	void oneTryIsAnsweredAtOnceWhileItsJvmStepsBack() throws Exception {
		LockEngine jvm = polling("a");
		long end = System.nanoTime() + RUN.toNanos();
		AtomicLong ignored = new AtomicLong();
		List<Future<?>> workers = new ArrayList<>();
		for (LockEngine other : List.of(jvm, polling("b"))) {
			for (int i = 0; i < 3; i++) {
				workers.add(onThread(() -> {
					work(other, end, ignored, ignored);
					return null;
				}));
			}
		}
		long longest = 0;
		while (System.nanoTime() - end < 0) {
			long asked = System.nanoTime();
			try (Lease lease = jvm.acquire(stock().withWaitTime(Duration.ZERO))) {
				enter(lease);
			}
			catch (LockNotAcquiredException ex) {
				assertThat(ex.reason()).isEqualTo(LockNotAcquiredException.Reason.BUSY);
			}
			longest = Math.max(longest, System.nanoTime() - asked);
			LockSupport.parkNanos(TimeUnit.MICROSECONDS.toNanos(500));
		}
		for (Future<?> worker : workers) {
			worker.get();
		}
		// One answer of the store in memory, and the slowness of a busy machine.
		assertThat(Duration.ofNanos(longest)).isLessThan(Duration.ofSeconds(2));
	}

	@Test
	void whoHoldsLongIsStillFollowedByTheOtherJvm() throws Exception {
		LockEngine first = polling("a");
		LockEngine second = polling("b");
		Lease held = heldByAnother(first, stock());
		Future<Lease> waiting = waitingThread(second, stock());
		assertThatExceptionOfType(LockNotAcquiredException.class)
			.isThrownBy(() -> second.acquire(stock().withWaitTime(Duration.ZERO)));
		held.release();
		Lease next = waiting.get(5, TimeUnit.SECONDS);
		assertThat(next.fencingToken()).isGreaterThan(held.fencingToken());
		next.release();
	}

	@Test
	void aJvmWithOneCallerAtATimeStepsBackAsWell() throws Exception {
		ManualTicker ticker = new ManualTicker();
		LockEngine jvm = ofOneCaller(ticker);
		Future<Lease> next = waitingThread(jvm, stock());
		assertThat(next).isNotDone();
		assertThat(storeIsEmpty()).isTrue();
		ticker.advance(Duration.ofMillis(50));
		next.get(5, TimeUnit.SECONDS).release();
	}

	@Test
	void oneTryIsNeverRefusedAFreeLockBecauseItsJvmWouldStepBack() throws Exception {
		LockEngine jvm = ofOneCaller(new ManualTicker());
		jvm.acquire(stock().withWaitTime(Duration.ZERO)).release();
		jvm.acquire(stock().withWaitTime(Duration.ofMillis(20))).release();
	}

	@Test
	void steppingBackDoesNotKeepALockFromGoingOnWithinTheJvmInAnOutage() throws Exception {
		ManualTicker ticker = new ManualTicker();
		FaultyLockStore store = FaultyLockStore.around(new WithoutQueue(this.server.connect("a")));
		LockEngine jvm = engine((builder) -> builder.store(store.store())
			.ticker(ticker)
			.policies((name) -> new LockPolicy(null, OnOutage.LOCAL)));
		store.otherwise((kind) -> Fault.failBefore(new StoreException("The store is out.", false, true, null)));
		Lease first = heldByAnother(jvm, stock());
		Future<Lease> next = waitingThread(jvm, stock());
		// Long enough to look for others.
		ticker.advance(Duration.ofMillis(300));
		first.release();
		assertThat(next.get(10, TimeUnit.SECONDS).isDegraded()).isTrue();
	}

	/**
	 * Uses the lock, again and again, for longer than a JVM may without looking for
	 * others.
	 */
	private LockEngine ofOneCaller(ManualTicker ticker) {
		LockStore store = new WithoutQueue(this.server.connect("a"));
		LockEngine jvm = engine((builder) -> builder.store(store).ticker(ticker));
		for (int millis = 0; millis < 250; millis += 25) {
			jvm.acquire(stock()).release();
			ticker.advance(Duration.ofMillis(25));
		}
		jvm.acquire(stock()).release();
		return jvm;
	}

	private void work(LockEngine jvm, long end, AtomicLong leases, AtomicLong longest) {
		while (System.nanoTime() - end < 0) {
			long asked = System.nanoTime();
			try (Lease lease = jvm.acquire(stock().withWaitTime(Duration.ofSeconds(20)))) {
				long waited = System.nanoTime() - asked;
				longest.accumulateAndGet(waited, Math::max);
				enter(lease);
				leases.incrementAndGet();
			}
		}
	}

	private void enter(Lease lease) {
		assertThat(lease.fencingToken()).isPositive();
		assertThat(this.inside.incrementAndGet()).as("callers under the lock").isEqualTo(1);
		LockSupport.parkNanos(TimeUnit.MICROSECONDS.toNanos(200));
		this.inside.decrementAndGet();
	}

	private LockEngine polling(String instance) {
		LockStore store = new WithoutQueue(this.server.connect(instance));
		return engine((builder) -> builder.store(store));
	}

	/**
	 * Nothing but the core of a store.
	 */
	private record WithoutQueue(LockStore delegate) implements LockStore {

		@Override
		public String name() {
			return this.delegate.name();
		}

		@Override
		public CompletionStage<AcquireReply> acquire(AcquireCommand command) {
			return this.delegate.acquire(command);
		}

		@Override
		public CompletionStage<List<RenewReply>> renew(List<RenewCommand> commands) {
			return this.delegate.renew(commands);
		}

		@Override
		public CompletionStage<ReleaseReply> release(ReleaseCommand command) {
			return this.delegate.release(command);
		}

		@Override
		public CompletionStage<ExtendReply> extend(ExtendCommand command) {
			return this.delegate.extend(command);
		}

		@Override
		public CompletionStage<Void> abandon(AbandonCommand command) {
			return this.delegate.abandon(command);
		}

		@Override
		public void close() {
			this.delegate.close();
		}

	}

}
