package io.distributedlock.engine;

import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;

import io.distributedlock.Lease;
import io.distributedlock.LockContext;
import io.distributedlock.LockOwner;
import io.distributedlock.LockRequest;
import io.distributedlock.test.ManualTicker;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * Rule E11 where a thread waits for the lock while others act for that thread: with its
 * owner in the request, or with its owner bound to them.
 */
@Tag("E11")
class SharedOwnerRulesTests extends EngineFixture {

	private static final LockRequest PATIENT = stock().withWaitTime(Duration.ofSeconds(5));

	private final ManualTicker ticker = new ManualTicker();

	/** Where no time passes, all holds are quick, so that callers may overtake. */
	private final LockEngine quick = engine(
			(builder) -> builder.store(this.server.connect("quick")).ticker(this.ticker));

	@Test
	void aThreadThatWaitsEntersWithTheCallThatIsServedForIt() throws Exception {
		Lease before = heldByAnother(this.engine, stock());
		CompletableFuture<LockOwner> thread = new CompletableFuture<>();
		CompletableFuture<Void> queued = new CompletableFuture<>();
		Future<Lease> waiting = onThread(() -> {
			thread.complete(LockContext.owner());
			queued.get();
			return this.engine.acquire(PATIENT);
		});
		CompletableFuture<Lease> first = this.engine.acquireAsync(PATIENT.withOwner(thread.get()));
		queued.complete(null);
		eventually().until(() -> waiters(this.engine) == 2);
		before.close();
		Lease lease = first.get(5, TimeUnit.SECONDS);
		assertThat(waiting.get(2, TimeUnit.SECONDS).fencingToken()).isEqualTo(lease.fencingToken());
		waiting.get().close();
		lease.close();
	}

	@Test
	void threadsThatActForTheSameThreadEnterTogether() throws Exception {
		LockOwner owner = LockContext.owner();
		Lease before = heldByAnother(this.engine, stock());
		Future<Lease> first = boundTo(owner);
		eventually().until(() -> waiters(this.engine) == 1);
		Future<Lease> second = boundTo(owner);
		eventually().until(() -> waiters(this.engine) == 2);
		before.close();
		long token = first.get(5, TimeUnit.SECONDS).fencingToken();
		assertThat(second.get(2, TimeUnit.SECONDS).fencingToken()).isEqualTo(token);
		first.get().close();
		second.get().close();
	}

	@Test
	@Tag("E4")
	void whoseOwnerHasEnteredByAnotherCallIsNotOvertaken() throws Exception {
		Lease before = this.quick.acquire(PATIENT);
		Waiter sleeper = sleeper();
		before.close();
		eventually().until(() -> sleeper.state() == Waiter.State.GRANTED);
		Lease nested = this.quick.acquireAsync(PATIENT.withOwner(sleeper.owner)).get(5, TimeUnit.SECONDS);
		Future<Lease> late = onThread(() -> this.quick.acquire(PATIENT));
		eventually().until(() -> waiters(this.quick) == 1 || late.isDone());
		assertThat(nested.isHeld()).isTrue();
		assertThat(late).isNotDone();
		nested.close();
		Future<Lease> later = onThread(() -> this.quick.acquire(PATIENT));
		eventually().until(() -> waiters(this.quick) == 2 || later.isDone());
		assertThat(later).as("would have a token that was used").isNotDone();
		assertThat(sleeper.settled()).isTrue();
		assertThat(sleeper.lease().isHeld()).isTrue();
		sleeper.lease().close();
		late.get(5, TimeUnit.SECONDS).close();
		later.get(5, TimeUnit.SECONDS).close();
	}

	@Test
	@Tag("E4")
	void whoOvertakesLetsThoseInThatWaitForTheSameOwner() throws Exception {
		LockOwner owner = LockContext.owner();
		Lease before = this.quick.acquire(PATIENT.withOwner(LockOwner.create("before")));
		Waiter sleeper = sleeper();
		CompletableFuture<Lease> async = this.quick.acquireAsync(PATIENT.withOwner(owner));
		eventually().until(() -> waiters(this.quick) == 2);
		before.close();
		eventually().until(() -> sleeper.state() == Waiter.State.GRANTED);
		Lease lease = this.quick.acquire(PATIENT);
		assertThat(sleeper.state()).as("was overtaken").isEqualTo(Waiter.State.WAITING);
		assertThat(async.get(2, TimeUnit.SECONDS).fencingToken()).isEqualTo(lease.fencingToken());
		assertThat(waiters(this.quick)).isOne();
		async.get().close();
		lease.close();
		assertThat(sleeper.settled()).isTrue();
		sleeper.lease().close();
		eventually().until(() -> storeIsEmpty() && this.quick.gateCount() == 0);
	}

	private Future<Lease> boundTo(LockOwner owner) {
		return onThread(() -> {
			LockContext.Scope scope = LockContext.bind(owner);
			try {
				return this.engine.acquire(PATIENT);
			}
			finally {
				scope.close();
			}
		});
	}

	/** A caller whose thread does not look at what became of it. */
	private Waiter sleeper() {
		StoreRuntime runtime = this.quick.runtime(null);
		Terms terms = new Terms(Duration.ofSeconds(30).toNanos(), true, 0, Duration.ofHours(1).toNanos(), 0);
		Waiter waiter = Waiter.blocking(Thread.currentThread(), LockOwner.create("sleeper"), false,
				new Profile(terms, Duration.ofSeconds(5).toNanos()), runtime.now(), 1_000_000_000, null);
		runtime.enter(key(), waiter);
		return waiter;
	}

}
