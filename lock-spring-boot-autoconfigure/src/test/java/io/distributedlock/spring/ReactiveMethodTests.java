package io.distributedlock.spring;

import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Flow;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicReference;

import io.distributedlock.Lease;
import io.distributedlock.LockContext;
import io.distributedlock.LockLostException;
import io.distributedlock.LockNotAcquiredException;
import org.junit.jupiter.api.Test;
import org.reactivestreams.Publisher;
import reactor.adapter.JdkFlowAdapter;
import reactor.core.Disposable;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Hooks;
import reactor.core.publisher.Mono;
import reactor.core.publisher.Sinks;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

/**
 * Tests for annotated methods that return a publisher.
 */
class ReactiveMethodTests extends LockedProxies {

	private static final Duration PATIENCE = Duration.ofSeconds(10);

	private final Shop target = new Shop();

	private final Shop shop = proxy(this.target);

	@Test
	void nothingHappensBeforeSubscription() {
		this.shop.buy();
		assertThat(this.target.begun).isEmpty();
		assertThat(held() + waiting()).isZero();
	}

	@Test
	void lockIsHeldUntilTheMonoHasCompleted() {
		CompletableFuture<String> result = this.shop.buy().toFuture();
		eventually().until(() -> this.target.begun.size() == 1);
		assertThat(held()).isEqualTo(1);
		assertThat(result).isNotDone();
		this.target.sale.tryEmitValue("sold");
		assertThat(result).succeedsWithin(PATIENCE).isEqualTo("sold");
		assertThat(held()).isZero();
	}

	@Test
	void eachSubscriptionTakesTheLockAnew() {
		Mono<String> buy = this.shop.buy();
		CompletableFuture<String> first = buy.toFuture();
		eventually().until(() -> this.target.begun.size() == 1);
		CompletableFuture<String> second = buy.toFuture();
		eventually().until(() -> waiting() == 1);
		assertThat(this.target.begun).hasSize(1);
		this.target.sale.tryEmitValue("sold");
		assertThat(first).succeedsWithin(PATIENCE);
		assertThat(second).succeedsWithin(PATIENCE);
		assertThat(this.target.begun).hasSize(2);
	}

	@Test
	void lockIsHeldWhileAFluxGivesItsValues() {
		List<Integer> held = new CopyOnWriteArrayList<>();
		List<Integer> values = this.shop.many().doOnNext((value) -> held.add(held())).collectList().block(PATIENCE);
		assertThat(values).containsExactly(1, 2, 3);
		assertThat(held).containsExactly(1, 1, 1);
		assertThat(held()).isZero();
	}

	@Test
	void otherPublishersAreAdapted() {
		assertThat(Flux.from(this.shop.publisher()).collectList().block(PATIENCE)).containsExactly(1, 2, 3);
		assertThat(JdkFlowAdapter.flowPublisherToFlux(this.shop.flow()).collectList().block(PATIENCE))
			.containsExactly(1, 2, 3);
		assertThat(this.target.begun).containsExactly("stock", "stock");
	}

	@Test
	void failureOfTheWorkReachesTheSubscriberAndTheLockIsReleased() {
		this.target.sale.tryEmitError(new IOException("sold out"));
		assertThat(this.shop.buy().toFuture()).failsWithin(PATIENCE)
			.withThrowableThat()
			.withCauseInstanceOf(IOException.class);
		assertThat(held()).isZero();
	}

	@Test
	void exceptionOfTheMethodReachesTheSubscriber() {
		Mono<String> failing = this.shop.failing();
		assertThatExceptionOfType(IllegalStateException.class).isThrownBy(() -> failing.block(PATIENCE))
			.withMessage("sold out");
		assertThat(held()).isZero();
	}

	@Test
	void methodThatReturnsNoPublisherIsEmpty() {
		assertThat(this.shop.nothing().block(PATIENCE)).isNull();
	}

	@Test
	void cancellingWhileItWaitsGivesUp() {
		Lease lease = hold("stock");
		Disposable subscription = this.shop.buy().subscribe();
		eventually().until(() -> waiting() == 1);
		subscription.dispose();
		eventually().until(() -> waiting() == 0);
		lease.close();
		assertThat(this.target.begun).isEmpty();
	}

	@Test
	void cancellingWhileItRunsCancelsTheWorkAndReleasesTheLock() {
		Disposable subscription = this.shop.buy().subscribe();
		eventually().until(() -> this.target.begun.size() == 1);
		subscription.dispose();
		assertThat(this.target.cancelled).isCompleted();
		eventually().until(() -> held() == 0);
	}

	@Test
	void timeoutOfTheCallerReleasesTheLock() {
		assertThat(this.shop.buy().timeout(Duration.ofMillis(50)).toFuture()).failsWithin(PATIENCE)
			.withThrowableThat()
			.withCauseInstanceOf(TimeoutException.class);
		eventually().until(() -> held() == 0);
		assertThat(this.target.cancelled).isCompleted();
	}

	@Test
	void takingEnoughOfAFluxReleasesTheLock() {
		assertThat(this.shop.many().take(1).collectList().block(PATIENCE)).containsExactly(1);
		eventually().until(() -> held() == 0);
	}

	@Test
	void lostLockFailsTheSubscriberAtOnceAndCancelsTheWork() {
		CompletableFuture<String> result = this.shop.buy().toFuture();
		// Work that is lost before it is subscribed is not cancelled but never begins.
		eventually().until(this.target.subscribed::isDone);
		takeAway("stock");
		assertThat(result).failsWithin(PATIENCE).withThrowableThat().withCauseInstanceOf(LockLostException.class);
		assertThat(this.target.cancelled).succeedsWithin(PATIENCE);
	}

	@Test
	void lostLockFailsTheSubscriberOfAFlux() {
		CompletableFuture<List<String>> result = this.shop.stream().collectList().toFuture();
		// Work that is lost before it is subscribed is not cancelled but never begins.
		eventually().until(this.target.subscribed::isDone);
		takeAway("stock");
		assertThat(result).failsWithin(PATIENCE).withThrowableThat().withCauseInstanceOf(LockLostException.class);
		assertThat(this.target.cancelled).succeedsWithin(PATIENCE);
	}

	@Test
	void methodsWithinASubscriptionReenter() {
		this.target.inner = this.shop::nested;
		assertThat(this.shop.outer().block(PATIENCE)).isEqualTo("stock within stock");
	}

	@Test
	void siblingsOutsideOfASubscriptionExcludeEachOther() {
		Section section = new Section();
		this.target.inner = () -> Mono.delay(Duration.ofMillis(2))
			.doFirst(section::enter)
			.thenReturn("done")
			.doOnTerminate(section::leave);
		Flux.range(0, 100).flatMap((i) -> this.shop.outer(), 100).blockLast(PATIENCE);
		assertThat(section.begun.get()).isEqualTo(100);
		assertThat(section.overlaps.get()).isZero();
	}

	@Test
	void methodSeesItsLease() {
		assertThat(this.shop.many().blockLast(PATIENCE)).isEqualTo(3);
		assertThat(this.target.begun).containsExactly("stock");
	}

	@Test
	void operatorsSeeTheLeaseWhereTheContextIsPropagated() {
		Hooks.enableAutomaticContextPropagation();
		try {
			AtomicReference<String> seen = new AtomicReference<>();
			this.target.inner = () -> Mono.delay(Duration.ofMillis(1)).map((tick) -> current()).doOnNext(seen::set);
			this.shop.outer().block(PATIENCE);
			assertThat(seen.get()).isEqualTo("stock");
			assertThat(LockContext.boundOwner()).isNull();
		}
		finally {
			Hooks.disableAutomaticContextPropagation();
		}
	}

	@Test
	void contentionFailsTheSubscriber() {
		try (Lease lease = hold("stock")) {
			assertThat(lease.isHeld()).isTrue();
			Mono<String> impatient = this.shop.impatient();
			assertThatExceptionOfType(LockNotAcquiredException.class).isThrownBy(() -> impatient.block(PATIENCE));
		}
	}

	@Test
	void skippedCallIsEmpty() {
		try (Lease lease = hold("stock")) {
			assertThat(lease.isHeld()).isTrue();
			assertThat(this.shop.skipped().block(PATIENCE)).isNull();
			assertThat(this.shop.skippedMany().collectList().block(PATIENCE)).isEmpty();
		}
		assertThat(this.target.begun).isEmpty();
	}

	@Test
	void fallbackAnswersWithAPublisherOfItsOwn() {
		try (Lease lease = hold("stock")) {
			assertThat(lease.isHeld()).isTrue();
			assertThat(this.shop.withFallback("42").block(PATIENCE)).isEqualTo("later: 42");
		}
	}

	@Test
	void contentionOfTheWorkItselfIsNotAnsweredByTheFallback() {
		Lease other = hold("other");
		this.target.inner = () -> this.shop.other();
		Mono<String> guarded = this.shop.withFallback("42");
		assertThatExceptionOfType(LockNotAcquiredException.class).isThrownBy(() -> guarded.block(PATIENCE));
		other.close();
	}

	@Test
	void falseConditionRunsTheMethodWithoutLock() {
		this.target.sale.tryEmitValue("sold");
		assertThat(this.shop.conditional(false).block(PATIENCE)).isEqualTo("sold");
		assertThat(this.target.begun).containsExactly("nothing");
	}

	@Test
	void keptLockStaysTakenAfterNormalCompletionOnly() {
		this.target.inner = () -> Mono.error(new IOException());
		assertThat(this.shop.once().toFuture()).failsWithin(PATIENCE);
		this.target.inner = () -> Mono.just("done");
		assertThat(this.shop.once().block(PATIENCE)).isEqualTo("done");
		assertThat(this.shop.once().toFuture()).failsWithin(PATIENCE)
			.withThrowableThat()
			.withCauseInstanceOf(LockNotAcquiredException.class);
	}

	private static String current() {
		return LockContext.current().map((lease) -> lease.key().toString()).orElse("nothing");
	}

	static class Shop {

		final List<String> begun = new CopyOnWriteArrayList<>();

		final Sinks.One<String> sale = Sinks.one();

		final CompletableFuture<Void> cancelled = new CompletableFuture<>();

		final CompletableFuture<Void> subscribed = new CompletableFuture<>();

		volatile java.util.function.Supplier<Mono<String>> inner = Mono::empty;

		private Mono<String> begin() {
			this.begun.add(current());
			return this.sale.asMono()
				.doOnCancel(() -> this.cancelled.complete(null))
				.doOnSubscribe((subscription) -> this.subscribed.complete(null));
		}

		@DistributedLock(name = "stock")
		public Mono<String> buy() {
			return begin();
		}

		@DistributedLock(name = "stock")
		public Flux<Integer> many() {
			begin();
			return Flux.just(1, 2, 3).delayElements(Duration.ofMillis(2));
		}

		@DistributedLock(name = "stock")
		public Flux<String> stream() {
			return begin().flux().concatWith(Flux.never());
		}

		@DistributedLock(name = "stock")
		public Publisher<Integer> publisher() {
			return many();
		}

		@DistributedLock(name = "stock")
		public Flow.Publisher<Integer> flow() {
			return JdkFlowAdapter.publisherToFlowPublisher(many());
		}

		@DistributedLock(name = "stock")
		public Mono<String> failing() {
			throw new IllegalStateException("sold out");
		}

		@DistributedLock(name = "stock")
		public Mono<String> nothing() {
			return null;
		}

		@DistributedLock(name = "stock")
		public Mono<String> outer() {
			return Mono.delay(Duration.ofMillis(1)).then(this.inner.get());
		}

		@DistributedLock(name = "stock")
		public Mono<String> nested() {
			return Mono.just(current() + " within stock");
		}

		@DistributedLock(name = "stock", waitTime = "0s")
		public Mono<String> impatient() {
			return begin();
		}

		@DistributedLock(name = "other", waitTime = "0s")
		public Mono<String> other() {
			return begin();
		}

		@DistributedLock(name = "stock", waitTime = "0s", onFailure = OnFailure.SKIP)
		public Mono<String> skipped() {
			return begin();
		}

		@DistributedLock(name = "stock", waitTime = "0s", onFailure = OnFailure.SKIP)
		public Flux<Integer> skippedMany() {
			return many();
		}

		@DistributedLock(name = "stock", waitTime = "0s", fallback = "later")
		public Mono<String> withFallback(String productId) {
			return this.inner.get();
		}

		Mono<String> later(String productId, LockNotAcquiredException ex) {
			return Mono.just("later: " + productId);
		}

		@DistributedLock(name = "stock", condition = "#lock")
		public Mono<String> conditional(boolean lock) {
			return begin();
		}

		@DistributedLock(name = "once", keep = "true", ttl = "5s", waitTime = "0s")
		public Mono<String> once() {
			return this.inner.get();
		}

	}

}
