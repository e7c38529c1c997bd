package io.distributedlock.engine;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;

import io.distributedlock.Lease;
import io.distributedlock.LeaseState;
import io.distributedlock.LockKey;
import io.distributedlock.LockListener;
import io.distributedlock.LockNotAcquiredException;
import io.distributedlock.LockNotAcquiredException.Reason;
import io.distributedlock.LockRequest;
import io.distributedlock.LockStoreException;
import io.distributedlock.spi.StoreException;
import io.distributedlock.test.CommandKind;
import io.distributedlock.test.Fault;
import io.distributedlock.test.FaultyLockStore;
import io.distributedlock.test.InMemoryLockServer;
import io.distributedlock.test.ManualTicker;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.awaitility.Awaitility.await;

/**
 * What a review of the engine's races found, and delicate behaviour that it wants kept.
 */
class EngineReviewTests {

	private static final StoreException UNKNOWN = new StoreException("planned", true, true, null);

	private final InMemoryLockServer server = InMemoryLockServer.create();

	private final FaultyLockStore faulty = FaultyLockStore.around(this.server.connect("jvm-1"));

	private final AtomicInteger localHandoffs = new AtomicInteger();

	private final List<LockEngine> engines = new ArrayList<>();

	private final ExecutorService threads = Executors.newCachedThreadPool();

	private final LockRequest request = LockRequest.of("stock", 42).withTtl(Duration.ofSeconds(30));

	private final LockRequest once = this.request.withWaitTime(Duration.ZERO);

	@AfterEach
	void closeAll() {
		this.faulty.heal();
		this.engines.forEach(LockEngine::close);
		this.threads.shutdownNow();
	}

	@Test
	void aGateWhoseLeaseExpiredUnseenMakesRoomForANewOne() {
		ManualTicker ticker = new ManualTicker();
		InMemoryLockServer server = InMemoryLockServer.builder().ticker(ticker).build();
		LockEngine engine = keep(LockEngine.builder().store(server.connect("jvm-1")).ticker(ticker));
		// The watchdog may see the expiry first, but not twenty times.
		for (int i = 0; i < 20; i++) {
			Lease expired = engine.acquire(this.request.withRenew(false));
			ticker.advance(Duration.ofSeconds(30));
			Lease lease = engine.acquire(this.once);
			assertThat(engine.held()).hasSize(1);
			Lease nested = engine.acquire(this.once);
			assertThat(nested.fencingToken()).isEqualTo(lease.fencingToken());
			nested.close();
			lease.close();
			assertThat(expired.release()).isFalse();
		}
		assertThat(server.size()).isZero();
	}

	@Test
	void aShortWaitAmongLongOnesEndsInItsTime() {
		Lease elsewhere = other().acquire(this.request);
		// Nothing else wakes it meanwhile.
		LockEngine engine = keep(LockEngine.builder().store(this.faulty.store()).recheck(Duration.ofSeconds(10)));
		CompletableFuture<Lease> patient = engine.acquireAsync(this.request.withWaitTime(Duration.ofSeconds(20)));
		await().until(() -> this.faulty.count(CommandKind.ACQUIRE_OR_ENQUEUE) > 0);
		for (int i = 0; i < 3; i++) {
			long start = System.nanoTime();
			assertThat(engine.tryAcquire(this.request.withWaitTime(Duration.ofMillis(30)))).isEmpty();
			assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(Duration.ofSeconds(5));
		}
		elsewhere.close();
		patient.join().close();
	}

	@Test
	void ofTwoThatDoNotWaitOneGetsTheLockAndTheOtherIsRefusedByTheSameAnswer() {
		LockEngine engine = engine();
		this.faulty.next(CommandKind.ACQUIRE, Fault.holdBack());
		List<CompletableFuture<Lease>> both = List.of(inBackground(engine, this.once), inBackground(engine, this.once));
		awaitWaiters(engine, 2);
		this.faulty.heldBack().get(0).deliver();
		await().until(() -> both.stream().allMatch(CompletableFuture::isDone));
		assertThat(both).filteredOn(CompletableFuture::isCompletedExceptionally)
			.singleElement()
			.satisfies((refused) -> assertThat(refusal(refused)).isEqualTo(Reason.BUSY));
		assertThat(this.faulty.count(CommandKind.ACQUIRE)).isOne();
		close(both);
	}

	@Test
	void anOutageBeforeIsNotContentionNow() {
		LockEngine engine = engine();
		this.faulty.otherwise((kind) -> (kind == CommandKind.ABANDON) ? Fault.holdBack() : Fault.failAfter(UNKNOWN));
		assertThatExceptionOfType(LockStoreException.class)
			.isThrownBy(() -> engine.acquire(this.request.withWaitTime(Duration.ofMillis(30))));
		await().until(() -> !this.faulty.heldBack().isEmpty());
		this.faulty.heal();
		CompletableFuture<Lease> next = inBackground(engine, this.once);
		await().until(() -> next.isDone() || !engine.waiting().isEmpty());
		this.faulty.heldBack().get(0).deliver();
		next.join().close();
		await().until(() -> this.server.size() == 0);
	}

	@Test
	void aReleaseWithoutAnAnswerIsNotContention() {
		LockEngine engine = engine();
		Lease first = engine.acquire(this.request);
		this.faulty.otherwise((kind) -> switch (kind) {
			case RELEASE_AND_ENQUEUE -> Fault.holdBack();
			case ACQUIRE_OR_ENQUEUE -> Fault.failBefore(UNKNOWN);
			default -> Fault.none();
		}).next(CommandKind.EXTEND, Fault.failBefore(UNKNOWN));
		CompletableFuture<Lease> patient = engine.acquireAsync(this.request.withWaitTime(Duration.ofSeconds(20)));
		await().until(() -> this.faulty.count(CommandKind.EXTEND) == 1);
		first.releaseAsync();
		CompletableFuture<Lease> impatient = inBackground(engine, this.once);
		awaitWaiters(engine, 2);
		this.faulty.heldBack().get(0).expire();
		assertThat(impatient).failsWithin(Duration.ofSeconds(2))
			.withThrowableThat()
			.withCauseInstanceOf(LockStoreException.class);
		this.faulty.heal();
		patient.join().close();
	}

	@Test
	void aHungHolderIsNotKeptAliveByThoseWhoWaitForIt() {
		LockEngine engine = engine();
		LockRequest hung = this.request.withTtl(Duration.ofMillis(500)).withMaxHold(Duration.ofMillis(500));
		Lease lease = engine.acquire(hung);
		CompletableFuture<Void> callers = CompletableFuture.runAsync(() -> {
			while (lease.isHeld() && !Thread.currentThread().isInterrupted()) {
				engine.tryAcquire(hung.withWaitTime(Duration.ofMillis(20))).ifPresent(Lease::close);
			}
		}, this.threads);
		assertThat(callers).succeedsWithin(Duration.ofSeconds(10));
		assertThat(lease.state()).isEqualTo(LeaseState.LOST);
	}

	@Test
	void workThatOutlivesItsMinHoldStaysLocked() {
		ManualTicker ticker = new ManualTicker();
		InMemoryLockServer server = InMemoryLockServer.builder().ticker(ticker).build();
		LockEngine engine = keep(LockEngine.builder().store(server.connect("jvm-1")).ticker(ticker));
		Lease lease = engine.acquire(this.request.withTtl(Duration.ofSeconds(5)).withMinHold(Duration.ofSeconds(20)));
		for (int i = 0; i < 60; i++) {
			advance(ticker, Duration.ofMillis(500));
		}
		assertThat(lease.state()).isEqualTo(LeaseState.HELD);
		lease.close();
	}

	@Test
	void anExtensionThatIsUsedUpIsFollowedByRenewals() {
		ManualTicker ticker = new ManualTicker();
		InMemoryLockServer server = InMemoryLockServer.builder().ticker(ticker).build();
		LockEngine engine = keep(LockEngine.builder().store(server.connect("jvm-1")).ticker(ticker));
		Lease lease = engine.acquire(this.request.withTtl(Duration.ofSeconds(5)));
		lease.extend(Duration.ofSeconds(20));
		for (int i = 0; i < 60; i++) {
			advance(ticker, Duration.ofMillis(500));
		}
		assertThat(lease.state()).isEqualTo(LeaseState.HELD);
		lease.close();
	}

	@Test
	void anExtensionOfAClosedLeaseDoesNotHurtItsSuccessor() {
		LockEngine engine = engine(64);
		Lease first = engine.acquire(this.request);
		this.faulty.next(CommandKind.RENEW, Fault.holdBack());
		CompletableFuture<Void> extending = CompletableFuture.runAsync(() -> first.extend(Duration.ofSeconds(40)),
				this.threads);
		await().until(() -> this.faulty.heldBack().size() == 1);
		CompletableFuture<Void> late = CompletableFuture.runAsync(() -> first.extend(Duration.ofSeconds(50)),
				this.threads);
		CompletableFuture<Lease> second = inBackground(engine, this.request.withRenew(true));
		awaitWaiters(engine, 1);
		first.close();
		Lease successor = second.join();
		assertThat(late).failsWithin(Duration.ofSeconds(2))
			.withThrowableThat()
			.withCauseInstanceOf(IllegalStateException.class);
		assertThat(successor.isHeld()).isTrue();
		this.faulty.heldBack().get(0).deliver();
		await().until(extending::isDone);
		assertThat(successor.isHeld()).isTrue();
		successor.close();
	}

	@Test
	void aRenewalOnItsWayCannotCutTheNextHoldersTimeShort() {
		LockEngine engine = engine(64);
		LockRequest shortLived = this.request.withTtl(Duration.ofMillis(600));
		this.faulty.next(CommandKind.RENEW, Fault.holdBack());
		Lease first = engine.acquire(shortLived);
		CompletableFuture<Lease> next = inBackground(engine, this.request);
		awaitWaiters(engine, 1);
		await().until(() -> this.faulty.heldBack().size() == 1);
		this.faulty.heldBack().get(0).expire();
		first.close();
		Lease lease = next.join();
		this.faulty.heldBack().get(0).deliver();
		LockEngine other = other();
		await().pollDelay(Duration.ofMillis(900)).until(() -> true);
		assertThat(other.tryAcquire(this.once).isPresent() && lease.isHeld()).isFalse();
		lease.close();
	}

	@Test
	void nothingIsRenewedAfterItsDeadline() {
		LockEngine engine = engine(64);
		this.faulty.next(CommandKind.RENEW, Fault.holdBack());
		Lease first = engine.acquire(this.request.withTtl(Duration.ofMillis(500)));
		CompletableFuture<Lease> next = inBackground(engine, this.request);
		awaitWaiters(engine, 1);
		await().until(() -> this.faulty.heldBack().size() == 1);
		first.close();
		next.join().close();
		this.faulty.resetCounts();
		this.faulty.heldBack().get(0).expire();
		await().during(Duration.ofMillis(50)).until(() -> this.faulty.count(CommandKind.RENEW) == 0);
	}

	@Test
	void aGrantThatIsLostOnItsWayToTheNextCallerIsGivenBack() {
		LockEngine engine = engine(64);
		Lease first = engine.acquire(this.request);
		this.faulty.next(CommandKind.RENEW, Fault.dropRequest());
		CompletableFuture<Lease> next = inBackground(engine, this.request.withTtl(Duration.ofMillis(500)));
		awaitWaiters(engine, 1);
		first.close();
		await().pollDelay(Duration.ofMillis(550)).until(() -> true);
		assertThat(engine.tryAcquire(this.once)).as("one that notices the loss").isEmpty();
		assertThat(next).succeedsWithin(Duration.ofSeconds(10)).satisfies(Lease::close);
	}

	@Test
	void aLostLeaseThatIsClosedLeavesNothingInTheStore() {
		ManualTicker ticker = new ManualTicker();
		LockEngine engine = keep(LockEngine.builder().store(this.faulty.store()).ticker(ticker));
		Lease lost = engine.acquire(this.request);
		Lease nested = engine.acquire(this.request);
		ticker.advance(Duration.ofSeconds(30));
		assertThat(lost.release()).isFalse();
		assertThat(this.server.size()).as("code still runs under the nested lease").isOne();
		assertThat(nested.release()).isFalse();
		await().until(() -> this.server.size() == 0);
	}

	@Test
	void aNestedLeaseHasItsFullTimeEvenIfItsHolderIsNotRenewed() {
		ManualTicker ticker = new ManualTicker();
		InMemoryLockServer server = InMemoryLockServer.builder().ticker(ticker).build();
		LockEngine engine = keep(LockEngine.builder().store(server.connect("jvm-1")).ticker(ticker));
		LockRequest fixed = this.request.withRenew(false);
		Lease outer = engine.acquire(fixed);
		ticker.advance(Duration.ofSeconds(20));
		Lease nested = engine.acquire(fixed);
		ticker.advance(Duration.ofSeconds(29));
		assertThat(nested.isHeld()).isTrue();
		nested.close();
		outer.close();
	}

	@Test
	void listenersAreNotCalledOnTheStoresThread() {
		AtomicReference<Thread> teller = new AtomicReference<>();
		LockEngine engine = keep(LockEngine.builder().store(this.faulty.store()).listener(new LockListener() {

			@Override
			public void onReleaseUnconfirmed(Lease lease, Throwable cause) {
				teller.set(Thread.currentThread());
			}

		}));
		this.faulty.next(CommandKind.RELEASE, Fault.holdBack());
		CompletionStage<Boolean> released = engine.acquire(this.request).releaseAsync();
		this.faulty.heldBack().get(0).expire();
		assertThat(released.toCompletableFuture()).succeedsWithin(Duration.ofSeconds(10));
		await().until(() -> teller.get() != null);
		assertThat(teller.get()).isNotSameAs(Thread.currentThread());
	}

	@Test
	void withOneLeaseInARowThereIsNoLocalHandoff() {
		LockEngine engine = engine(1);
		Lease first = engine.acquire(this.request);
		CompletableFuture<Lease> next = inBackground(engine, this.request);
		awaitWaiters(engine, 1);
		first.close();
		next.join().close();
		assertThat(this.localHandoffs).hasValue(0);
	}

	@Test
	void anUnconfirmedReleaseIsRepeatedAlsoAfterTheMinHold() {
		LockEngine engine = engine();
		Lease lease = engine.acquire(this.request.withMinHold(Duration.ofMillis(200)));
		this.faulty.otherwise((kind) -> (kind == CommandKind.RELEASE) ? Fault.failBefore(UNKNOWN) : Fault.none());
		assertThat(lease.release()).isTrue();
		await().pollDelay(Duration.ofMillis(300)).until(() -> true);
		this.faulty.heal();
		await().until(() -> this.server.size() == 0);
	}

	private LockEngine engine() {
		return keep(LockEngine.builder().store(this.faulty.store()).listener(countHandoffs()));
	}

	/**
	 * Makes an engine whose turns are not ended by time.
	 */
	private LockEngine engine(int handoffs) {
		return keep(LockEngine.builder()
			.store(this.faulty.store())
			.handoff(handoffs, Duration.ofSeconds(20))
			.listener(countHandoffs()));
	}

	private LockEngine other() {
		return keep(LockEngine.builder().store(this.server.connect("jvm-2")));
	}

	private LockEngine keep(LockEngine.Builder builder) {
		LockEngine engine = builder.build();
		this.engines.add(engine);
		return engine;
	}

	private LockListener countHandoffs() {
		return new LockListener() {

			@Override
			public void onLocalHandoff(LockKey key, String store) {
				EngineReviewTests.this.localHandoffs.incrementAndGet();
			}

		};
	}

	private CompletableFuture<Lease> inBackground(LockEngine engine, LockRequest request) {
		return CompletableFuture.supplyAsync(() -> engine.acquire(request), this.threads);
	}

	private static void awaitWaiters(LockEngine engine, int callers) {
		await().until(() -> engine.waiting().stream().anyMatch((waited) -> waited.waiters() == callers));
	}

	/**
	 * Moves a clock, and lets the watchdog look at it.
	 */
	private static void advance(ManualTicker ticker, Duration time) {
		ticker.advance(time);
		await().pollDelay(Duration.ofMillis(15)).until(() -> true);
	}

	private static Reason refusal(CompletableFuture<Lease> refused) {
		try {
			refused.join();
		}
		catch (CompletionException ex) {
			return ((LockNotAcquiredException) ex.getCause()).reason();
		}
		throw new AssertionError("Not refused");
	}

	private static void close(List<CompletableFuture<Lease>> leases) {
		leases.stream().filter((lease) -> !lease.isCompletedExceptionally()).forEach((lease) -> lease.join().close());
	}

}
