package io.distributedlock.spring;

import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

import io.distributedlock.Lease;
import io.distributedlock.LockContext;
import io.distributedlock.LockKey;
import io.distributedlock.LockLostException;
import io.distributedlock.LockNotAcquiredException;
import io.distributedlock.LockRequest;
import io.distributedlock.LockSettings;
import io.distributedlock.MultiLease;
import io.distributedlock.LockInspector.HeldLock;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import reactor.core.publisher.BaseSubscriber;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

/**
 * Tests for {@link DistributedLock#lockAll} on methods whose work goes on after they have
 * returned, of each kind.
 */
class SeveralLocksOfAsynchronousMethodTests extends LockedProxies {

	private static final Duration PATIENCE = Duration.ofSeconds(10);

	private final Bank target = new Bank();

	private final Bank bank = proxy(this.target);

	private final ReactiveLockTemplate locks = new DefaultReactiveLockTemplate(this.engine,
			new AspectSettings(true, LockSettings.DEFAULTS, (name) -> LockSettings.NONE, OnActiveTransaction.DEFER));

	enum Kind {

		FUTURE {
			@Override
			CompletableFuture<String> transfer(Bank bank, String from, String to) {
				return bank.future(from, to);
			}

			@Override
			CompletableFuture<String> once(Bank bank) {
				return bank.futureOnce(List.of("a", "b"));
			}
		},

		STAGE {
			@Override
			CompletableFuture<String> transfer(Bank bank, String from, String to) {
				return (CompletableFuture<String>) bank.stage(from, to);
			}

			@Override
			CompletableFuture<String> once(Bank bank) {
				return bank.futureOnce(List.of("a", "b"));
			}
		},

		MONO {
			@Override
			CompletableFuture<String> transfer(Bank bank, String from, String to) {
				return bank.mono(from, to).toFuture();
			}

			@Override
			CompletableFuture<String> once(Bank bank) {
				return bank.monoOnce(List.of("a", "b")).toFuture();
			}
		},

		FLUX {
			@Override
			CompletableFuture<String> transfer(Bank bank, String from, String to) {
				return bank.flux(from, to).collect(Collectors.joining()).toFuture();
			}

			@Override
			CompletableFuture<String> once(Bank bank) {
				return bank.monoOnce(List.of("a", "b")).toFuture();
			}
		};

		abstract CompletableFuture<String> transfer(Bank bank, String from, String to);

		abstract CompletableFuture<String> once(Bank bank);

	}

	@ParameterizedTest
	@EnumSource
	void allAreHeldUntilTheWorkHasEnded(Kind kind) {
		CompletableFuture<String> result = kind.transfer(this.bank, "b", "a");
		eventually().until(() -> this.target.seen.size() == 1);
		assertThat(this.target.seen).containsExactly("account:a account:b");
		assertThat(heldKeys()).containsExactlyInAnyOrder("account:a", "account:b");
		assertThat(result).isNotDone();
		this.target.work.complete("done");
		assertThat(result).succeedsWithin(PATIENCE).isEqualTo("done");
		assertThat(heldKeys()).isEmpty();
	}

	@ParameterizedTest
	@EnumSource
	void allAreReleasedWhenTheWorkFails(Kind kind) {
		this.target.work.completeExceptionally(new IOException("no money"));
		assertThat(kind.transfer(this.bank, "a", "b")).failsWithin(PATIENCE)
			.withThrowableThat()
			.withCauseInstanceOf(IOException.class);
		assertThat(heldKeys()).isEmpty();
	}

	@ParameterizedTest
	@EnumSource
	void callWaitsForTheOneThatIsTaken(Kind kind) {
		Lease lease = this.engine.acquire(LockRequest.of("account", "b"));
		CompletableFuture<String> result = kind.transfer(this.bank, "a", "b");
		eventually().until(() -> waiting() == 1);
		assertThat(this.target.seen).isEmpty();
		this.target.work.complete("done");
		lease.close();
		assertThat(result).succeedsWithin(PATIENCE).isEqualTo("done");
	}

	@ParameterizedTest
	@EnumSource
	void nothingStaysLockedWhenTheWaitIsCancelled(Kind kind) {
		Lease lease = this.engine.acquire(LockRequest.of("account", "b"));
		CompletableFuture<String> result = kind.transfer(this.bank, "a", "b");
		eventually().until(() -> waiting() == 1);
		result.cancel(false);
		eventually().until(() -> waiting() == 0 && held() == 1);
		lease.close();
		assertThat(heldKeys()).isEmpty();
		assertThat(this.target.seen).isEmpty();
	}

	@ParameterizedTest
	@EnumSource
	void cancellingTheWorkReleasesAll(Kind kind) {
		CompletableFuture<String> result = kind.transfer(this.bank, "a", "b");
		eventually().until(() -> this.target.seen.size() == 1);
		result.cancel(true);
		eventually().until(() -> held() == 0);
		assertThat(this.target.work).isCancelled();
	}

	@ParameterizedTest
	@EnumSource
	void cancellingAtAnyMomentLeavesNothingLocked(Kind kind) throws InterruptedException {
		this.target.work.complete("done");
		for (int i = 0; i < 200; i++) {
			CompletableFuture<String> result = kind.transfer(this.bank, "a", "b");
			TimeUnit.NANOSECONDS.sleep(ThreadLocalRandom.current().nextInt(300_000));
			result.cancel(true);
		}
		eventually().until(() -> held() + waiting() == 0);
	}

	@ParameterizedTest
	@EnumSource
	void lossOfOneFailsTheResultAndReleasesTheOthers(Kind kind) {
		CompletableFuture<String> result = kind.transfer(this.bank, "a", "b");
		eventually().until(this.target.subscribed::isDone);
		takeAway(LockKey.of("account", "b"));
		this.target.work.complete("done");
		assertThat(result).failsWithin(PATIENCE)
			.withThrowableThat()
			.havingCause()
			.isInstanceOfSatisfying(LockLostException.class,
					(ex) -> assertThat(ex.key()).isEqualTo(LockKey.of("account", "b")));
		eventually().until(() -> held() == 0);
	}

	@ParameterizedTest
	@EnumSource
	void allAreKeptAfterNormalCompletion(Kind kind) {
		this.target.work.complete("done");
		assertThat(kind.once(this.bank)).succeedsWithin(PATIENCE).isEqualTo("done");
		for (String account : List.of("a", "b")) {
			assertThat(this.engine.tryAcquire(LockRequest.of("once", account).withWaitTime(Duration.ZERO))).isEmpty();
		}
		assertThat(kind.once(this.bank)).failsWithin(PATIENCE)
			.withThrowableThat()
			.withCauseInstanceOf(LockNotAcquiredException.class);
	}

	@ParameterizedTest
	@EnumSource
	void transfersInBothDirectionsExcludeEachOtherWithoutDeadlock(Kind kind) {
		Section section = new Section();
		this.target.section = section;
		this.target.work.complete("done");
		List<CompletableFuture<String>> results = IntStream.range(0, 200)
			.mapToObj((i) -> (i % 2 == 0) ? kind.transfer(this.bank, "a", "b") : kind.transfer(this.bank, "b", "a"))
			.toList();
		assertThat(CompletableFuture.allOf(results.toArray(CompletableFuture<?>[]::new)))
			.succeedsWithin(Duration.ofSeconds(30));
		assertThat(section.begun.get()).isEqualTo(200);
		assertThat(section.overlaps.get()).isZero();
	}

	@Test
	void refusalIsAnsweredByTheFallback() {
		try (Lease lease = this.engine.acquire(LockRequest.of("account", "b"))) {
			assertThat(this.bank.futureOrLater("a", "b")).succeedsWithin(PATIENCE).isEqualTo("later");
			assertThat(this.bank.monoOrNothing("a", "b").block(PATIENCE)).isNull();
			assertThat(lease.isHeld()).isTrue();
		}
	}

	@Test
	void emptyCollectionIsAnErrorOfTheResult() {
		assertThat(this.bank.futureOnce(List.of())).failsWithin(PATIENCE)
			.withThrowableThat()
			.withMessageContaining("condition");
		assertThat(this.bank.monoOnce(List.of()).toFuture()).failsWithin(PATIENCE)
			.withThrowableThat()
			.withMessageContaining("condition");
	}

	@Test
	void templateRunsWorkUnderAllLocks() {
		List<LockRequest> both = requests();
		assertThat(this.locks.executeAll(both, (leases) -> Mono.fromCallable(() -> leases.isHeld() + " " + held()))
			.block(PATIENCE)).isEqualTo("true 2");
		assertThat(this.locks.executeAllMany(both, (leases) -> Flux.range(1, 3).map((i) -> i + held()))
			.collectList()
			.block(PATIENCE)).containsExactly(3, 4, 5);
		MultiLease leases = this.locks.acquireAll(both).block(PATIENCE);
		assertThat(heldKeys()).hasSize(2);
		assertThat(leases.releaseAsync().toCompletableFuture()).succeedsWithin(PATIENCE).isEqualTo(true);
		assertThatIllegalArgumentException().isThrownBy(() -> this.locks.acquireAll(List.of()));
	}

	@Test
	void templateKeepsThoseThatAskForIt() {
		LockRequest kept = LockRequest.of("account", "a").withKeep(true).withTtl(Duration.ofSeconds(5));
		LockRequest other = LockRequest.of("account", "b");
		this.locks.executeAll(List.of(kept, other), (leases) -> Mono.just("done")).block(PATIENCE);
		assertThat(this.engine.tryAcquire(kept.withWaitTime(Duration.ZERO))).isEmpty();
		this.engine.acquire(other.withWaitTime(Duration.ZERO)).close();
	}

	@Test
	void acquisitionOfAllThatIsCancelledLeavesNothingBehind() {
		for (int i = 0; i < 300; i++) {
			BaseSubscriber<MultiLease> subscriber = new BaseSubscriber<>() {
				@Override
				protected void hookOnNext(MultiLease leases) {
					leases.releaseAsync();
				}
			};
			this.locks.acquireAll(requests()).subscribe(subscriber);
			if (i % 3 > 0) {
				Thread.onSpinWait();
			}
			subscriber.cancel();
		}
		eventually().until(() -> held() + waiting() == 0);
	}

	private static List<LockRequest> requests() {
		return List.of(LockRequest.of("account", "b"), LockRequest.of("account", "a"));
	}

	private List<String> heldKeys() {
		return this.engine.held().stream().map((held) -> held.key().toString()).toList();
	}

	private void takeAway(LockKey key) {
		HeldLock held = this.engine.held().stream().filter((lock) -> lock.key().equals(key)).findFirst().orElseThrow();
		assertThat(this.engine.forceRelease(key, null, held.fencingToken())).isTrue();
	}

	static class Bank {

		final List<String> seen = new CopyOnWriteArrayList<>();

		final CompletableFuture<String> work = new CompletableFuture<>();

		final CompletableFuture<Boolean> subscribed = new CompletableFuture<>();

		volatile Section section = new Section();

		private void look() {
			this.seen.add(LockContext.leases()
				.stream()
				.map((lease) -> lease.key().toString())
				.sorted()
				.collect(Collectors.joining(" ")));
		}

		private CompletableFuture<String> run() {
			this.section.enter();
			this.subscribed.complete(true);
			CompletableFuture<String> result = this.work.whenComplete((value, thrown) -> this.section.leave());
			result.whenComplete((value, thrown) -> {
				if (result.isCancelled()) {
					this.work.cancel(false);
				}
			});
			return result;
		}

		@DistributedLock(name = "account", lockAll = { "#from", "#to" }, waitTime = "30s")
		public CompletableFuture<String> future(String from, String to) {
			look();
			return run();
		}

		@DistributedLock(name = "account", lockAll = { "#from", "#to" }, waitTime = "30s")
		public CompletionStage<String> stage(String from, String to) {
			look();
			return run();
		}

		@DistributedLock(name = "account", lockAll = { "#from", "#to" }, waitTime = "30s")
		public Mono<String> mono(String from, String to) {
			look();
			return Mono.fromFuture(this::run);
		}

		@DistributedLock(name = "account", lockAll = { "#from", "#to" }, waitTime = "30s")
		public Flux<String> flux(String from, String to) {
			look();
			return Mono.fromFuture(this::run).flux();
		}

		@DistributedLock(name = "once", lockAll = "#ids", keep = "true", waitTime = "0s", ttl = "10s")
		public CompletableFuture<String> futureOnce(List<String> ids) {
			look();
			return run();
		}

		@DistributedLock(name = "once", lockAll = "#ids", keep = "true", waitTime = "0s", ttl = "10s")
		public Mono<String> monoOnce(List<String> ids) {
			look();
			return Mono.fromFuture(this::run);
		}

		@DistributedLock(name = "account", lockAll = { "#from", "#to" }, waitTime = "0s", fallback = "later")
		public CompletableFuture<String> futureOrLater(String from, String to) {
			look();
			return run();
		}

		CompletableFuture<String> later(String from, String to) {
			return CompletableFuture.completedFuture("later");
		}

		@DistributedLock(name = "account", lockAll = { "#from", "#to" }, waitTime = "0s", onFailure = OnFailure.SKIP)
		public Mono<String> monoOrNothing(String from, String to) {
			look();
			return Mono.fromFuture(this::run);
		}

	}

}
