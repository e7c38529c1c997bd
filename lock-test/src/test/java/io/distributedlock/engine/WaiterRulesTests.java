package io.distributedlock.engine;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;

import io.distributedlock.Lease;
import io.distributedlock.LockInspector.StoredLock;
import io.distributedlock.LockKey;
import io.distributedlock.LockListener;
import io.distributedlock.LockNotAcquiredException.Reason;
import io.distributedlock.LockNotAcquiredException;
import io.distributedlock.LockRequest;
import io.distributedlock.LockStoreException;
import io.distributedlock.MultiLease;
import io.distributedlock.spi.StoreException;
import io.distributedlock.test.CommandKind;
import io.distributedlock.test.Fault;
import io.distributedlock.test.FaultyLockStore;
import io.distributedlock.test.HeldRequest;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

/**
 * Rules E4, E9, E13, E14 and E16 of the protocol: how callers wait, give up, and leave
 * nothing behind.
 */
class WaiterRulesTests extends EngineFixture {

	@Test
	@Tag("E4")
	void oneCallersTimeoutDoesNotCancelTheQueueEntryWhileOthersWait() throws Exception {
		Lease elsewhere = heldByAnother(otherJvm("jvm-2"), stock());
		Future<Lease> impatient = waitingThread(this.engine, stock().withWaitTime(Duration.ofSeconds(1)));
		Future<Lease> patient = waitingThread(this.engine, stock().withWaitTime(Duration.ofSeconds(10)));
		assertThat(reasonOf(impatient)).isEqualTo(Reason.TIMED_OUT);
		assertThat(this.faults.count(CommandKind.ABANDON)).isZero();
		assertThat(stored().queue()).hasSize(1);
		elsewhere.close();
		patient.get(5, TimeUnit.SECONDS).close();
	}

	@Test
	@Tag("E4")
	void theLastCallersTimeoutTakesTheQueueEntryAway() throws Exception {
		Lease elsewhere = heldByAnother(otherJvm("jvm-2"), stock());
		Future<Lease> first = waitingThread(this.engine, stock().withWaitTime(Duration.ofMillis(100)));
		Future<Lease> second = waitingThread(this.engine, stock().withWaitTime(Duration.ofMillis(150)));
		assertThat(reasonOf(first)).isEqualTo(Reason.TIMED_OUT);
		assertThat(reasonOf(second)).isEqualTo(Reason.TIMED_OUT);
		eventually().until(() -> stored().queue().isEmpty());
		assertThat(elsewhere.release()).isTrue();
		assertThat(storeIsEmpty()).isTrue();
		assertThat(this.engine.gateCount()).isZero();
	}

	@Test
	@Tag("E4")
	void aCancelledCallerInTheMiddleOfTheLineIsSkipped() throws Exception {
		Lease held = heldByAnother(this.engine, stock());
		CompletableFuture<Lease> first = this.engine.acquireAsync(stock());
		CompletableFuture<Lease> second = this.engine.acquireAsync(stock());
		CompletableFuture<Lease> third = this.engine.acquireAsync(stock());
		second.cancel(false);
		held.close();
		first.get(5, TimeUnit.SECONDS).close();
		third.get(5, TimeUnit.SECONDS).close();
		eventually().until(() -> this.engine.gateCount() == 0);
	}

	@Test
	@Tag("E4")
	void aCallerWhoseFutureSomebodyElseCompletesWaitsNoLonger() throws Exception {
		LockRequest patient = stock().withWaitTime(Duration.ofMinutes(5));
		Lease held = heldByAnother(this.engine, stock());
		CompletableFuture<Lease> late = this.engine.acquireAsync(patient).orTimeout(1, TimeUnit.MILLISECONDS);
		CompletableFuture<Lease> failed = this.engine.acquireAsync(patient);
		failed.completeExceptionally(new IllegalStateException("not needed any more"));
		CompletableFuture<MultiLease> several = this.engine
			.acquireAllAsync(List.of(patient, LockRequest.of("other").withWaitTime(Duration.ofMinutes(5))));
		several.complete(null);
		assertThat(late).failsWithin(Duration.ofSeconds(10));
		eventually().until(() -> waiters(this.engine) == 0);
		held.close();
		eventually().until(() -> this.engine.gateCount() == 0 && storeIsEmpty());
	}

	@Test
	@Tag("E9")
	void aCallerThatDoesNotWaitIsRefusedByALocalHolderWithoutTheStore() throws Exception {
		Lease held = heldByAnother(this.engine, stock());
		this.faults.resetCounts();
		for (int i = 0; i < 1000; i++) {
			assertThat(this.engine.tryAcquire(stock().withWaitTime(Duration.ZERO))).isEmpty();
		}
		assertThat(this.faults.count()).isZero();
		held.close();
	}

	@Test
	@Tag("E9")
	void aCallerThatDoesNotWaitIsRefusedAtOnceWhileThisJvmQueuesRemotely() throws Exception {
		Lease elsewhere = heldByAnother(otherJvm("jvm-2"), stock());
		Future<Lease> queued = waitingThread(this.engine, stock());
		eventually().until(() -> stored().queue().size() == 1);
		long before = this.faults.count(CommandKind.ACQUIRE_OR_ENQUEUE);
		assertThatExceptionOfType(LockNotAcquiredException.class)
			.isThrownBy(() -> this.engine.acquire(stock().withWaitTime(Duration.ZERO)))
			.withMessageContaining("jvm-2")
			.satisfies((ex) -> assertThat(ex.reason()).isEqualTo(Reason.BUSY));
		assertThat(this.faults.count(CommandKind.ACQUIRE)).isZero();
		assertThat(this.faults.count(CommandKind.ACQUIRE_OR_ENQUEUE)).isBetween(before, before + 1);
		elsewhere.close();
		queued.get(5, TimeUnit.SECONDS).close();
	}

	@Test
	@Tag("E9")
	void callersThatDoNotWaitShareTheAnswerUnderWay() throws Exception {
		Lease elsewhere = heldByAnother(otherJvm("jvm-2"), stock());
		this.faults.next(CommandKind.ACQUIRE, Fault.holdBack());
		List<CompletableFuture<Lease>> tries = new ArrayList<>();
		for (int i = 0; i < 5; i++) {
			tries.add(this.engine.acquireAsync(stock().withWaitTime(Duration.ZERO)));
		}
		this.faults.heldBack().forEach(HeldRequest::deliver);
		for (CompletableFuture<Lease> attempt : tries) {
			assertThat(reasonOf(attempt)).isEqualTo(Reason.BUSY);
		}
		assertThat(this.faults.count(CommandKind.ACQUIRE)).isEqualTo(1);
		elsewhere.close();
	}

	@Test
	@Tag("E9")
	void aCallerThatDoesNotWaitComesAfterAReleaseThatIsUnderWay() throws Exception {
		Lease held = heldByAnother(this.engine, stock());
		this.faults.next(CommandKind.RELEASE, Fault.holdBack());
		Future<Boolean> releasing = onThread(held::release);
		eventually().until(() -> !this.faults.heldBack().isEmpty());
		CompletableFuture<Lease> attempt = this.engine.acquireAsync(stock().withWaitTime(Duration.ZERO));
		this.faults.heldBack().forEach(HeldRequest::deliver);
		assertThat(attempt.get(5, TimeUnit.SECONDS).release()).isTrue();
		assertThat(releasing.get(5, TimeUnit.SECONDS)).isTrue();
	}

	@Test
	@Tag("E9")
	void aLeaseThatHasExpiredHereDoesNotCountAsHeld() throws Exception {
		Lease expired = heldByAnother(this.engine, stock().withTtl(SHORT_TTL).withRenew(false));
		eventually().until(() -> this.engine.tryAcquire(stock().withWaitTime(Duration.ZERO)).map((lease) -> {
			lease.close();
			return true;
		}).orElse(false));
		assertThat(expired.isHeld()).isFalse();
	}

	@Test
	@Tag("E13")
	void anAcquireWhoseReplyIsLostLeavesNothingBehind() {
		this.faults.next(CommandKind.ACQUIRE, Fault.dropReply());
		assertThatExceptionOfType(LockStoreException.class)
			.isThrownBy(() -> this.engine.acquire(stock().withTtl(Duration.ofSeconds(3)).withWaitTime(Duration.ZERO)));
		eventually().until(this::storeIsEmpty);
		assertThat(this.engine.gateCount()).isZero();
	}

	@Test
	@Tag("E13")
	void anAcquireWhoseReplyIsLostIsRepeatedUnderTheSameAttemptWithinTheWaitTime() {
		this.faults.next(CommandKind.ACQUIRE_OR_ENQUEUE, Fault.failAfter(new StoreException("lost", true, true, null)));
		try (Lease lease = this.engine.acquire(stock())) {
			assertThat(lease.isHeld()).isTrue();
			assertThat(this.faults.count(CommandKind.ACQUIRE_OR_ENQUEUE)).isEqualTo(2);
		}
		assertThat(storeIsEmpty()).isTrue();
	}

	@Test
	@Tag("E13")
	void aRequestThatIsExecutedAfterItsCallerHasGivenUpIsUndone() {
		this.faults.next(CommandKind.ACQUIRE, Fault.holdBack());
		CompletableFuture<Lease> attempt = this.engine
			.acquireAsync(stock().withTtl(Duration.ofSeconds(6)).withWaitTime(Duration.ZERO));
		eventually().until(() -> !this.faults.heldBack().isEmpty());
		attempt.cancel(false);
		HeldRequest request = this.faults.heldBack().get(0);
		assertThat(request.deliver()).isTrue();
		eventually().until(() -> storeIsEmpty() && this.engine.gateCount() == 0);
	}

	@Test
	@Tag("E13")
	void aCallerThatGivesUpWhenItIsHandedTheLockHandsItOn() throws Exception {
		for (int i = 0; i < 200; i++) {
			Lease held = heldByAnother(this.engine, stock());
			CompletableFuture<Lease> givesUp = this.engine.acquireAsync(stock());
			CompletableFuture<Lease> next = this.engine.acquireAsync(stock());
			Future<Boolean> release = onThread(held::release);
			if (!givesUp.cancel(false)) {
				// It had the lease before, so giving up means giving it back.
				givesUp.get().close();
			}
			release.get(5, TimeUnit.SECONDS);
			next.get(5, TimeUnit.SECONDS).close();
		}
		eventually().until(() -> this.engine.gateCount() == 0 && storeIsEmpty());
	}

	@Test
	@Tag("E13")
	void anOutageThatPassesWithinTheWaitTimeIsNotSeenByTheCaller() {
		StoreException down = new StoreException("Redis is loading", false, true, null);
		this.faults.next(CommandKind.ACQUIRE_OR_ENQUEUE, Fault.failBefore(down), Fault.failBefore(down),
				Fault.failBefore(down));
		try (Lease lease = this.engine.acquire(stock())) {
			assertThat(lease.isHeld()).isTrue();
		}
	}

	@Test
	@Tag("E13")
	void anOutageForTheWholeWaitTimeIsNeverCalledContention() {
		this.faults.otherwise((kind) -> Fault.failBefore(new StoreException("Redis is away", false, true, null)));
		assertThatExceptionOfType(LockStoreException.class)
			.isThrownBy(() -> this.engine.acquire(stock().withWaitTime(Duration.ofMillis(200))))
			.withMessageContaining("stock:42")
			.withMessageContaining("Redis is away");
		assertThat(this.engine.gateCount()).isZero();
	}

	@Test
	@Tag("E13")
	void anErrorThatWillNotPassIsReportedAtOnce() {
		this.faults.otherwise((kind) -> Fault.failBefore(new StoreException("No permission", false, false, null)));
		long start = System.nanoTime();
		assertThatExceptionOfType(LockStoreException.class)
			.isThrownBy(() -> this.engine.acquire(stock().withWaitTime(Duration.ofSeconds(30))))
			.withMessageContaining("No permission");
		assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(Duration.ofSeconds(10));
	}

	@Test
	@Tag("E14")
	void anInterruptEndsTheWaitKeepsTheFlagAndLeavesNothingBehind() throws Exception {
		Lease elsewhere = heldByAnother(otherJvm("jvm-2"), stock());
		AtomicReference<Boolean> flag = new AtomicReference<>();
		AtomicReference<Throwable> thrown = new AtomicReference<>();
		Thread waiting = new Thread(() -> {
			try {
				this.engine.acquire(stock());
			}
			catch (LockNotAcquiredException ex) {
				thrown.set(ex);
			}
			flag.set(Thread.currentThread().isInterrupted());
		});
		waiting.start();
		eventually().until(() -> stored().queue().size() == 1);
		waiting.interrupt();
		waiting.join(5000);
		assertThat(flag.get()).isTrue();
		assertThat(thrown.get()).isInstanceOfSatisfying(LockNotAcquiredException.class,
				(ex) -> assertThat(ex.reason()).isEqualTo(Reason.INTERRUPTED));
		eventually().until(() -> stored().queue().isEmpty() && this.engine.gateCount() == 0);
		elsewhere.close();
	}

	@Test
	@Tag("E14")
	void aThreadThatComesInterruptedDoesNotAskTheStore() {
		Thread.currentThread().interrupt();
		assertThatExceptionOfType(LockNotAcquiredException.class).isThrownBy(() -> this.engine.acquire(stock()))
			.satisfies((ex) -> assertThat(ex.reason()).isEqualTo(Reason.INTERRUPTED));
		assertThat(Thread.interrupted()).isTrue();
		assertThat(this.faults.count()).isZero();
	}

	@Test
	@Tag("E14")
	void anInterruptDuringTheReleaseDoesNotHideItsOutcome() throws Exception {
		Lease held = this.engine.acquire(stock());
		Thread.currentThread().interrupt();
		assertThat(held.release()).isTrue();
		assertThat(Thread.interrupted()).isTrue();
		assertThat(storeIsEmpty()).isTrue();
	}

	@Test
	@Tag("E16")
	void onTheFastPathTheCallersThreadTalksToTheStoreItself() {
		List<Thread> talking = new ArrayList<>();
		this.faults.otherwise((kind) -> {
			talking.add(Thread.currentThread());
			return Fault.none();
		});
		this.engine.acquire(stock()).close();
		assertThat(talking).hasSize(2).containsOnly(Thread.currentThread());
	}

	@Test
	void theSignalThatIsLostCostsNoMoreThanARecheck() throws Exception {
		this.faults.loseSignals(() -> true);
		Lease elsewhere = heldByAnother(otherJvm("jvm-2"), stock());
		Future<Lease> queued = waitingThread(this.engine, stock());
		eventually().until(() -> stored().queue().size() == 1);
		elsewhere.close();
		queued.get(5, TimeUnit.SECONDS).close();
	}

	@Test
	void aStoreThatIsSilentDoesNotKeepACallerLongerThanItsWaitAndOneCommand() {
		this.faults.otherwise((kind) -> Fault.dropRequest());
		long start = System.nanoTime();
		assertThatExceptionOfType(LockStoreException.class).isThrownBy(
				() -> this.engine.acquire(stock().withTtl(Duration.ofSeconds(3)).withWaitTime(Duration.ofMillis(300))));
		assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(Duration.ofMillis(300 + 500 + 2000));
	}

	@Test
	void aCallerBehindOneThatIsGrantedAtOnceIsToldThatItWaits() throws Exception {
		FaultyLockStore store = FaultyLockStore.around(this.server.connect("jvm-w"));
		WaitingCounter counter = new WaitingCounter();
		LockEngine counted = engine((builder) -> builder.store(store.store()).listener(counter));
		store.next(CommandKind.ACQUIRE_OR_ENQUEUE, Fault.holdBack());
		Future<Lease> head = waitingThread(counted, stock());
		Future<Lease> behind = waitingThread(counted, stock());
		assertThat(counter.waiting).hasValue(0);
		store.heldBack().forEach(HeldRequest::deliver);
		Lease held = head.get(5, TimeUnit.SECONDS);
		eventually().until(() -> counter.waiting.get() == 1);
		assertThat(behind).isNotDone();
		held.close();
		behind.get(5, TimeUnit.SECONDS).close();
		assertThat(counter.waiting).hasValue(0);
	}

	@Test
	void aCallerThatCameDuringAReleaseAndIsNotTheNextIsToldThatItWaits() throws Exception {
		FaultyLockStore store = FaultyLockStore.around(this.server.connect("jvm-w"));
		WaitingCounter counter = new WaitingCounter();
		LockEngine counted = engine((builder) -> builder.store(store.store()).listener(counter));
		Lease first = heldByAnother(counted, stock());
		store.next(CommandKind.RELEASE, Fault.holdBack());
		Future<Boolean> releasing = onThread(first::release);
		eventually().until(() -> !store.heldBack().isEmpty());
		Future<Lease> next = waitingThread(counted, stock());
		Future<Lease> behind = waitingThread(counted, stock());
		store.heldBack().forEach(HeldRequest::deliver);
		Lease held = next.get(5, TimeUnit.SECONDS);
		eventually().until(() -> counter.waiting.get() == 1);
		assertThat(behind).isNotDone();
		held.close();
		behind.get(5, TimeUnit.SECONDS).close();
		assertThat(releasing.get(5, TimeUnit.SECONDS)).isTrue();
		assertThat(counter.waiting).hasValue(0);
	}

	/** What the meter of waiting callers shows. */
	private static final class WaitingCounter implements LockListener {

		private final AtomicInteger waiting = new AtomicInteger();

		@Override
		public void onWaiting(LockKey key, String store) {
			this.waiting.incrementAndGet();
		}

		@Override
		public void onWaitingEnded(LockKey key, String store) {
			this.waiting.decrementAndGet();
		}

	}

	private StoredLock stored() {
		return otherJvmView.find(key(), null).orElseThrow();
	}

	private final LockEngine otherJvmView = otherJvm("viewer");

	private static Reason reasonOf(Future<Lease> future) {
		try {
			future.get(5, TimeUnit.SECONDS);
			throw new AssertionError("The lock was acquired");
		}
		catch (ExecutionException ex) {
			assertThat(ex.getCause()).isInstanceOf(LockNotAcquiredException.class);
			return ((LockNotAcquiredException) ex.getCause()).reason();
		}
		catch (InterruptedException | TimeoutException ex) {
			throw new AssertionError(ex);
		}
	}

}
