package io.distributedlock.engine;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;

import io.distributedlock.Lease;
import io.distributedlock.LeaseState;
import io.distributedlock.LockNotAcquiredException;
import io.distributedlock.LockNotAcquiredException.Reason;
import io.distributedlock.LockRequest;
import io.distributedlock.LockStoreException;
import io.distributedlock.test.CommandKind;
import io.distributedlock.test.Fault;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

/**
 * Rule S4: strict order.
 */
class FairRulesTests extends EngineFixture {

	private static LockRequest fair() {
		return stock().withFair(true).withWaitTime(Duration.ofSeconds(10));
	}

	@Test
	void callersOfAllJvmsAreServedInTheOrderInWhichTheyCame() throws Exception {
		LockEngine other = otherJvm("jvm-2");
		assertThat(order(this.engine, other)).containsExactly(0, 1, 2, 3, 4, 5, 6, 7);
		assertThat(this.engine.gateCount()).isZero();
	}

	@Test
	void theOrderHoldsWhenAllSignalsAreLost() throws Exception {
		this.faults.loseSignals(() -> true);
		LockEngine other = engine(
				(builder) -> builder.store(this.server.connect("deaf")).recheck(Duration.ofMillis(100)));
		assertThat(order(this.engine, other)).containsExactly(0, 1, 2, 3, 4, 5, 6, 7);
	}

	private List<Integer> order(LockEngine one, LockEngine two) throws Exception {
		ConcurrentLinkedQueue<Integer> served = new ConcurrentLinkedQueue<>();
		Lease holder = heldByAnother(one, fair());
		List<Future<?>> callers = new ArrayList<>();
		for (int i = 0; i < 8; i++) {
			int number = i;
			LockEngine jvm = (i % 3 == 0) ? one : two;
			int before = waiters(one) + waiters(two);
			callers.add(onThread(() -> {
				Lease lease = jvm.acquire(fair());
				served.add(number);
				lease.close();
				return null;
			}));
			eventually().until(() -> waiters(one) + waiters(two) > before);
		}
		holder.close();
		for (Future<?> caller : callers) {
			caller.get(20, TimeUnit.SECONDS);
		}
		eventually().until(this::storeIsEmpty);
		return List.copyOf(served);
	}

	@Test
	void theNextOfTheSameJvmComesWithTheAnswerToTheRelease() throws Exception {
		Lease holder = heldByAnother(this.engine, fair());
		Future<Lease> next = waitingThread(this.engine, fair());
		this.faults.resetCounts();
		holder.close();
		Lease lease = next.get(5, TimeUnit.SECONDS);
		assertThat(lease.fencingToken()).isGreaterThan(holder.fencingToken());
		assertThat(this.faults.count(CommandKind.RELEASE_IN_ORDER)).isOne();
		assertThat(this.faults.count(CommandKind.ACQUIRE_IN_ORDER)).isZero();
		lease.close();
		eventually().until(this::storeIsEmpty);
	}

	@Test
	void callersThatComeWhileTheStoreIsAskedGoTogetherInTheNextQuestion() throws Exception {
		this.faults.next(CommandKind.ACQUIRE_IN_ORDER, Fault.holdBack());
		List<CompletableFuture<Lease>> callers = new ArrayList<>();
		for (int i = 0; i < 4; i++) {
			callers.add(this.engine.acquireAsync(fair()));
		}
		assertThat(this.faults.count(CommandKind.ACQUIRE_IN_ORDER)).isOne();
		this.faults.heldBack().get(0).deliver();
		Lease first = callers.get(0).get(5, TimeUnit.SECONDS);
		eventually().until(() -> this.faults.count(CommandKind.ACQUIRE_IN_ORDER) == 2);
		first.releaseAsync();
		for (CompletableFuture<Lease> caller : callers.subList(1, 4)) {
			caller.get(5, TimeUnit.SECONDS).releaseAsync().toCompletableFuture().get();
		}
		eventually().until(this::storeIsEmpty);
	}

	@Test
	void aCallerThatGivesUpLeavesItsPlaceToTheNext() throws Exception {
		LockEngine other = otherJvm("jvm-2");
		Lease holder = heldByAnother(other, fair());
		CompletableFuture<Lease> gone = this.engine.acquireAsync(fair());
		eventually().until(() -> waiters(this.engine) == 1);
		Future<Lease> stays = waitingThread(other, fair());
		gone.cancel(true);
		eventually().until(() -> waiters(this.engine) == 0);
		holder.close();
		stays.get(5, TimeUnit.SECONDS).close();
		eventually().until(this::storeIsEmpty);
	}

	@Test
	void whoDoesNotWaitIsRefusedAtOnceWhileOthersHoldOrWait() throws Exception {
		Lease holder = heldByAnother(this.engine, fair());
		this.faults.resetCounts();
		assertThatExceptionOfType(LockNotAcquiredException.class)
			.isThrownBy(() -> this.engine.acquire(fair().withWaitTime(Duration.ZERO)))
			.matches((refused) -> refused.reason() == Reason.BUSY)
			.withMessageContaining("of this instance");
		assertThat(this.faults.count()).isZero();
		assertThat(otherJvm("jvm-2").tryAcquire(fair().withWaitTime(Duration.ZERO))).isEmpty();
		holder.close();
		assertThat(this.engine.tryAcquire(fair().withWaitTime(Duration.ZERO))).isPresent();
	}

	@Test
	void aCallerTimesOutAndLeavesNothing() throws Exception {
		LockEngine other = otherJvm("jvm-2");
		Lease holder = heldByAnother(other, fair());
		assertThatExceptionOfType(LockNotAcquiredException.class)
			.isThrownBy(() -> this.engine.acquire(fair().withWaitTime(Duration.ofMillis(50))))
			.matches((refused) -> refused.reason() == Reason.TIMED_OUT)
			.withMessageContaining("jvm-2");
		holder.close();
		assertThat(this.engine.gateCount()).isZero();
		eventually().until(this::storeIsEmpty);
	}

	@Test
	void anInterruptedCallerLeavesNothing() throws Exception {
		LockEngine other = otherJvm("jvm-2");
		Lease holder = heldByAnother(other, fair());
		Future<Boolean> interrupted = onThread(() -> {
			Thread thread = Thread.currentThread();
			onThread(() -> {
				eventually().until(() -> waiters(this.engine) == 1);
				thread.interrupt();
				return null;
			});
			assertThatExceptionOfType(LockNotAcquiredException.class).isThrownBy(() -> this.engine.acquire(fair()))
				.matches((refused) -> refused.reason() == Reason.INTERRUPTED);
			return Thread.interrupted();
		});
		assertThat(interrupted.get(10, TimeUnit.SECONDS)).isTrue();
		holder.close();
		eventually().until(this::storeIsEmpty);
	}

	@Test
	void theSameOwnerEntersAgainInWhateverWay() {
		try (Lease outer = this.engine.acquire(fair())) {
			this.faults.resetCounts();
			try (Lease again = this.engine.acquire(fair()); Lease plain = this.engine.acquire(stock())) {
				assertThat(again.fencingToken()).isEqualTo(outer.fencingToken());
				assertThat(plain.fencingToken()).isEqualTo(outer.fencingToken());
			}
			assertThat(this.faults.count()).isZero();
			assertThat(outer.isHeld()).isTrue();
		}
		try (Lease plain = this.engine.acquire(stock()); Lease inner = this.engine.acquire(fair())) {
			assertThat(inner.fencingToken()).isEqualTo(plain.fencingToken());
		}
		assertThat(storeIsEmpty()).isTrue();
	}

	@Test
	void aLeaseWhoseRenewalsAreRefusedIsLostAndTheNextIsServed() throws Exception {
		Lease holder = heldByAnother(this.engine, fair().withTtl(SHORT_TTL));
		Future<Lease> next = waitingThread(this.engine, fair());
		assertThat(otherJvm("operator").forceRelease(key(), null, holder.fencingToken())).isTrue();
		eventually().until(() -> holder.state() == LeaseState.LOST);
		next.get(5, TimeUnit.SECONDS).close();
		holder.release();
		eventually().until(this::storeIsEmpty);
	}

	@Test
	void aReleaseWithoutAnAnswerIsRepeatedAndTheNextIsServed() throws Exception {
		Lease holder = heldByAnother(this.engine, fair().withTtl(SHORT_TTL));
		Future<Lease> next = waitingThread(this.engine, fair());
		this.faults.next(CommandKind.RELEASE_IN_ORDER, Fault.dropReply());
		assertThat(holder.release()).isTrue();
		next.get(5, TimeUnit.SECONDS).close();
		eventually().until(this::storeIsEmpty);
	}

	@Test
	void anOutageIsToldAsSuch() {
		this.faults.otherwise((kind) -> Fault.dropRequest());
		assertThatExceptionOfType(LockStoreException.class)
			.isThrownBy(() -> this.engine.acquire(fair().withTtl(SHORT_TTL).withWaitTime(Duration.ofMillis(150))));
		this.faults.heal();
		eventually().until(() -> this.engine.gateCount() == 0);
		this.engine.acquire(fair()).close();
	}

	@Test
	void aMinHoldKeepsTheLockFromTheNext() throws Exception {
		Lease holder = heldByAnother(this.engine, fair().withMinHold(Duration.ofMillis(1500)));
		Future<Lease> next = waitingThread(this.engine, fair());
		long start = System.nanoTime();
		holder.close();
		next.get(5, TimeUnit.SECONDS).close();
		assertThat(Duration.ofNanos(System.nanoTime() - start)).isGreaterThan(Duration.ofMillis(200));
	}

}
