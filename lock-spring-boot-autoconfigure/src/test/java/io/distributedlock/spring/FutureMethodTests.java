package io.distributedlock.spring;

import java.io.IOException;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;

import io.distributedlock.Lease;
import io.distributedlock.LockContext;
import io.distributedlock.LockKey;
import io.distributedlock.LockLostException;
import io.distributedlock.LockNotAcquiredException;
import io.distributedlock.LockNotAcquiredException.Reason;
import io.distributedlock.LockRequest;
import io.distributedlock.LockSettings;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

/**
 * Tests for annotated methods that return a future.
 */
class FutureMethodTests extends LockedProxies {

	private static final Duration PATIENCE = Duration.ofSeconds(10);

	private final Shop target = new Shop();

	private final Shop shop = proxy(this.target);

	@Test
	void lockIsHeldUntilTheFutureOfTheMethodHasCompleted() {
		CompletableFuture<String> result = this.shop.buy("42");
		eventually().until(() -> this.target.section.begun.get() == 1);
		assertThat(result).isNotDone();
		assertThat(isTaken("42")).isTrue();
		this.target.work.complete("sold");
		assertThat(result).succeedsWithin(PATIENCE).isEqualTo("sold");
		assertThat(isTaken("42")).isFalse();
	}

	@Test
	void stageIsHandledLikeAFuture() {
		CompletionStage<String> result = this.shop.stage();
		this.target.work.complete("sold");
		assertThat(result).succeedsWithin(PATIENCE).isEqualTo("sold");
	}

	@Test
	void bodySeesItsLeaseAndRunsOnAThreadForMethods() {
		this.target.work.complete("sold");
		assertThat(this.shop.buy("42")).succeedsWithin(PATIENCE);
		assertThat(this.target.seen.get()).isEqualTo("stock:42");
		assertThat(this.target.thread.get()).startsWith("lock-method-");
	}

	@Test
	void sameThreadCallingAgainWaitsLikeAnybodyElse() {
		CompletableFuture<String> first = this.shop.buy("42");
		eventually().until(() -> this.target.section.begun.get() == 1);
		CompletableFuture<String> second = this.shop.buy("42");
		eventually().until(() -> waiting() == 1);
		assertThat(this.target.section.begun.get()).isEqualTo(1);
		this.target.work.complete("sold");
		assertThat(first).succeedsWithin(PATIENCE);
		assertThat(second).succeedsWithin(PATIENCE);
		assertThat(this.target.section.begun.get()).isEqualTo(2);
	}

	@Test
	void bodyThatCallsALockedMethodReenters() {
		Shop inner = this.shop;
		this.target.nested = () -> inner.buy("42");
		this.target.work.complete("sold");
		assertThat(this.shop.outer("42")).succeedsWithin(PATIENCE).isEqualTo("sold");
	}

	@Test
	void failureOfTheWorkReachesTheCallerAndTheLockIsReleased() {
		this.target.work.completeExceptionally(new IOException("sold out"));
		assertThat(this.shop.buy("42")).failsWithin(PATIENCE)
			.withThrowableThat()
			.withCauseInstanceOf(IOException.class);
		assertThat(isTaken("42")).isFalse();
	}

	@Test
	void exceptionOfTheBodyReachesTheCallerInTheFuture() {
		assertThat(this.shop.failing()).failsWithin(PATIENCE)
			.withThrowableThat()
			.withCauseInstanceOf(IllegalStateException.class);
	}

	@Test
	void methodThatReturnsNoFutureIsOver() {
		assertThat(this.shop.nothing()).succeedsWithin(PATIENCE).isNull();
	}

	@Test
	void cancellingWhileItWaitsGivesUpAndLeavesNothingBehind() {
		Lease lease = hold("job");
		CompletableFuture<String> result = this.shop.job();
		eventually().until(() -> waiting() == 1);
		assertThat(result.cancel(false)).isTrue();
		eventually().until(() -> waiting() == 0);
		lease.close();
		assertThat(this.target.section.begun.get()).isZero();
		assertThat(held()).isZero();
	}

	@Test
	void cancellingWhileItRunsCancelsTheWorkAndReleasesTheLockAfterIt() {
		CompletableFuture<String> result = this.shop.buy("42");
		eventually().until(() -> this.target.section.begun.get() == 1);
		result.cancel(true);
		// The method has begun, and may not have returned its future yet.
		eventually().until(() -> this.target.work.isCancelled());
		assertThatExceptionOfType(CancellationException.class).isThrownBy(result::join);
		eventually().until(() -> !isTaken("42"));
	}

	@Test
	void workThatCannotBeCancelledKeepsTheLockUntilItIsOver() {
		CompletableFuture<String> result = this.shop.stubborn();
		eventually().until(() -> this.target.section.begun.get() == 1);
		result.cancel(true);
		assertThat(held()).isEqualTo(1);
		this.target.work.complete("sold");
		eventually().until(() -> held() == 0);
	}

	@Test
	void lostLockFailsTheResultOfFinishedWork() {
		CompletableFuture<String> result = this.shop.job();
		eventually().until(() -> this.target.section.begun.get() == 1);
		takeAway("job");
		this.target.work.complete("sold");
		assertThat(result).failsWithin(PATIENCE).withThrowableThat().withCauseInstanceOf(LockLostException.class);
	}

	@Test
	void lostLockIsSuppressedInTheFailureOfTheWork() {
		CompletableFuture<String> result = this.shop.job();
		eventually().until(() -> this.target.section.begun.get() == 1);
		takeAway("job");
		IOException failure = new IOException("sold out");
		this.target.work.completeExceptionally(failure);
		assertThat(result).failsWithin(PATIENCE).withThrowableThat().havingCause().isSameAs(failure);
		assertThat(failure.getSuppressed()).hasOnlyElementsOfType(LockLostException.class).hasSize(1);
	}

	@Test
	void contentionFailsTheResult() {
		try (Lease lease = hold("impatient")) {
			assertThat(lease.isHeld()).isTrue();
			assertThatExceptionOfType(CompletionException.class).isThrownBy(() -> this.shop.impatient().join())
				.havingCause()
				.isInstanceOfSatisfying(LockNotAcquiredException.class,
						(ex) -> assertThat(ex.reason()).isIn(Reason.BUSY, Reason.TIMED_OUT));
		}
	}

	@Test
	void skippedCallCompletesWithNothing() {
		try (Lease lease = hold("impatient")) {
			assertThat(lease.isHeld()).isTrue();
			assertThat(this.shop.skipped()).succeedsWithin(PATIENCE).isNull();
			assertThat(this.shop.skippedOptional()).succeedsWithin(PATIENCE).isEqualTo(Optional.empty());
		}
	}

	@Test
	void fallbackAnswersWithAFutureOfItsOwn() {
		try (Lease lease = hold("impatient")) {
			assertThat(lease.isHeld()).isTrue();
			assertThat(this.shop.withFallback("42")).succeedsWithin(PATIENCE).isEqualTo("later: 42 BUSY");
		}
	}

	@Test
	void falseConditionRunsTheMethodAtOnceWithoutLock() {
		this.target.work.complete("sold");
		assertThat(this.shop.conditional(false)).isCompletedWithValue("sold");
		assertThat(this.target.seen.get()).isEqualTo("nothing");
	}

	@Test
	void unusableKeyFailsTheResult() {
		assertThat(this.shop.buy(" ")).failsWithin(PATIENCE)
			.withThrowableThat()
			.withCauseInstanceOf(IllegalArgumentException.class);
	}

	@Test
	void keptLockStaysTakenAfterNormalCompletionOnly() {
		this.target.work.completeExceptionally(new IOException());
		assertThat(this.shop.once()).failsWithin(PATIENCE);
		assertThat(isTaken("once", "")).isFalse();
		this.target.work = CompletableFuture.completedFuture("sold");
		assertThat(this.shop.once()).succeedsWithin(PATIENCE);
		assertThat(isTaken("once", "")).isTrue();
	}

	@Test
	void callersOfTheResultDoNotRunOnThreadsOfTheEngine() {
		AtomicReference<String> thread = new AtomicReference<>();
		CompletableFuture<Void> after = this.shop.buy("42")
			.thenAccept((sold) -> thread.set(Thread.currentThread().getName()));
		eventually().until(() -> this.target.section.begun.get() == 1);
		CompletableFuture.runAsync(() -> this.target.work.complete("sold"), (task) -> new Thread(task, "mine").start());
		assertThat(after).succeedsWithin(PATIENCE);
		assertThat(thread.get()).matches("mine|lock-method-.*");
	}

	private boolean isTaken(String productId) {
		return isTaken("stock", productId);
	}

	private boolean isTaken(String name, String part) {
		LockKey key = part.isEmpty() ? LockKey.of(name) : LockKey.of(name, part);
		Optional<Lease> lease = this.engine
			.tryAcquire(LockRequest.of(key, LockSettings.NONE).withWaitTime(Duration.ZERO));
		lease.ifPresent(Lease::close);
		return lease.isEmpty();
	}

	static class Shop {

		final Section section = new Section();

		final AtomicReference<String> seen = new AtomicReference<>();

		final AtomicReference<String> thread = new AtomicReference<>();

		volatile CompletableFuture<String> work = new CompletableFuture<>();

		volatile java.util.function.Supplier<CompletableFuture<String>> nested;

		private CompletableFuture<String> begin() {
			this.section.begun.incrementAndGet();
			this.thread.set(Thread.currentThread().getName());
			this.seen.set(LockContext.current().map((lease) -> lease.key().toString()).orElse("nothing"));
			return this.work;
		}

		@DistributedLock(name = "stock", key = "#productId")
		public CompletableFuture<String> buy(String productId) {
			return begin();
		}

		@DistributedLock(name = "stock")
		public CompletionStage<String> stage() {
			return begin();
		}

		@DistributedLock(name = "stock", key = "#productId")
		public CompletableFuture<String> outer(String productId) {
			return this.nested.get();
		}

		@DistributedLock(name = "stock")
		public CompletableFuture<String> failing() {
			throw new IllegalStateException("sold out");
		}

		@DistributedLock(name = "stock")
		public CompletableFuture<String> nothing() {
			return null;
		}

		@DistributedLock(name = "job")
		public CompletableFuture<String> job() {
			return begin();
		}

		@DistributedLock(name = "job")
		public CompletableFuture<String> stubborn() {
			CompletableFuture<String> uncancellable = new CompletableFuture<>() {
				@Override
				public boolean cancel(boolean mayInterruptIfRunning) {
					return false;
				}
			};
			begin().thenAccept(uncancellable::complete);
			return uncancellable;
		}

		@DistributedLock(name = "impatient", waitTime = "0s")
		public CompletableFuture<String> impatient() {
			return begin();
		}

		@DistributedLock(name = "impatient", waitTime = "0s", onFailure = OnFailure.SKIP)
		public CompletableFuture<String> skipped() {
			return begin();
		}

		@DistributedLock(name = "impatient", waitTime = "0s", onFailure = OnFailure.SKIP)
		public CompletableFuture<Optional<String>> skippedOptional() {
			return begin().thenApply(Optional::of);
		}

		@DistributedLock(name = "impatient", waitTime = "0s", fallback = "later")
		public CompletableFuture<String> withFallback(String productId) {
			return begin();
		}

		CompletableFuture<String> later(String productId, LockNotAcquiredException ex) {
			CompletableFuture<String> answer = new CompletableFuture<>();
			return answer.completeOnTimeout("later: " + productId + " " + ex.reason(), 5, TimeUnit.MILLISECONDS);
		}

		@DistributedLock(name = "stock", condition = "#lock")
		public CompletableFuture<String> conditional(boolean lock) {
			return begin();
		}

		@DistributedLock(name = "once", keep = "true", ttl = "5s")
		public CompletableFuture<String> once() {
			return begin();
		}

	}

}
