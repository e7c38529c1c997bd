package io.distributedlock.spring;

import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicReference;

import io.distributedlock.Lease;
import io.distributedlock.LockContext;
import io.distributedlock.LockLostException;
import io.distributedlock.LockNotAcquiredException;
import io.distributedlock.LockRequest;
import io.distributedlock.LockSettings;
import org.junit.jupiter.api.Test;
import reactor.core.publisher.BaseSubscriber;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * Tests for {@link DefaultReactiveLockTemplate}.
 */
class ReactiveLockTemplateTests extends LockedProxies {

	private static final Duration PATIENCE = Duration.ofSeconds(10);

	private static final LockRequest STOCK = LockRequest.of("stock");

	private final ReactiveLockTemplate locks = new DefaultReactiveLockTemplate(this.engine,
			new AspectSettings(
					true, LockSettings.DEFAULTS, (name) -> name.equals("once")
							? LockSettings.NONE.withKeep(true).withTtl(Duration.ofSeconds(5)) : LockSettings.NONE,
					OnActiveTransaction.DEFER));

	@Test
	void acquiredLeaseIsHeldUntilItIsReleased() {
		Mono<Lease> acquire = this.locks.acquire(STOCK);
		assertThat(held()).isZero();
		Lease lease = acquire.block(PATIENCE);
		assertThat(lease.isHeld()).isTrue();
		assertThat(lease.releaseAsync().toCompletableFuture()).succeedsWithin(PATIENCE).isEqualTo(true);
	}

	@Test
	void acquisitionThatIsCancelledLeavesNothingBehind() {
		for (int i = 0; i < 300; i++) {
			// Unlike a lambda, it sees what arrives in the moment in which it cancels.
			BaseSubscriber<Lease> subscriber = new BaseSubscriber<>() {
				@Override
				protected void hookOnNext(Lease lease) {
					lease.releaseAsync();
				}
			};
			this.locks.acquire(STOCK).subscribe(subscriber);
			if (i % 3 > 0) {
				Thread.onSpinWait();
			}
			subscriber.cancel();
		}
		eventually().until(() -> held() + waiting() == 0);
	}

	@Test
	void workRunsUnderTheLockAndNestedWorkReenters() {
		String result = this.locks
			.execute(STOCK,
					(lease) -> this.locks.execute(STOCK,
							(nested) -> Mono.just(nested.fencingToken() - lease.fencingToken() + " " + held())))
			.block(PATIENCE);
		assertThat(result).isEqualTo("0 1");
		assertThat(held()).isZero();
	}

	@Test
	void annotatedMethodsAndTheTemplateShareTheOwnerOfTheContext() {
		Shop shop = proxy(new Shop());
		assertThat(this.locks.execute(STOCK, (lease) -> shop.buy()).block(PATIENCE)).isEqualTo("stock");
	}

	@Test
	void manyValuesComeUnderOneLock() {
		assertThat(this.locks.executeMany(STOCK, (lease) -> Flux.range(1, 3).map((i) -> i + held()))
			.collectList()
			.block(PATIENCE)).containsExactly(2, 3, 4);
	}

	@Test
	void lossIsAnErrorOfTheWork() {
		AtomicReference<Lease> lease = new AtomicReference<>();
		CompletableFuture<Object> result = this.locks.execute(STOCK, (given) -> {
			lease.set(given);
			return Mono.never();
		}).toFuture();
		eventually().until(() -> lease.get() != null);
		takeAway("stock");
		assertThat(result).failsWithin(PATIENCE).withThrowableThat().withCauseInstanceOf(LockLostException.class);
	}

	@Test
	void contentionIsAnErrorAndTheWorkDoesNotRun() {
		try (Lease other = hold("stock")) {
			assertThat(other.isHeld()).isTrue();
			assertThat(this.locks.execute(STOCK.withWaitTime(Duration.ZERO), (lease) -> Mono.just("ran")).toFuture())
				.failsWithin(PATIENCE)
				.withThrowableThat()
				.withCauseInstanceOf(LockNotAcquiredException.class);
		}
	}

	@Test
	void lockThatTheConfigurationKeepsIsKept() {
		LockRequest once = LockRequest.of("once").withWaitTime(Duration.ZERO);
		assertThat(this.locks.execute(once, (lease) -> Mono.just("ran")).block(PATIENCE)).isEqualTo("ran");
		assertThat(this.locks.execute(once, (lease) -> Mono.just("ran")).toFuture()).failsWithin(PATIENCE)
			.withThrowableThat()
			.withCauseInstanceOf(LockNotAcquiredException.class);
	}

	static class Shop {

		@DistributedLock(name = "stock", waitTime = "0s")
		public Mono<String> buy() {
			return Mono.just(LockContext.current().map((lease) -> lease.key().toString()).orElse("nothing"));
		}

	}

}
