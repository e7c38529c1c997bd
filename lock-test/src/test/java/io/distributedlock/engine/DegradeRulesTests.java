package io.distributedlock.engine;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;

import io.distributedlock.Lease;
import io.distributedlock.LockInspector.HeldLock;
import io.distributedlock.LockLostException;
import io.distributedlock.LockMode;
import io.distributedlock.LockNotAcquiredException;
import io.distributedlock.LockPolicy;
import io.distributedlock.LockRequest;
import io.distributedlock.LockStoreException;
import io.distributedlock.MultiLease;
import io.distributedlock.OnOutage;
import io.distributedlock.spi.StoreException;
import io.distributedlock.test.CommandKind;
import io.distributedlock.test.Fault;
import io.distributedlock.test.FaultyLockStore;
import io.distributedlock.test.ManualTicker;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

/**
 * A lock name may go on within one JVM while its store is out.
 */
class DegradeRulesTests extends EngineFixture {

	private final FaultyLockStore store = FaultyLockStore.around(this.server.connect("degrading"));

	private final LockEngine degrading = engine((builder) -> builder.store(this.store.store())
		.policies((name) -> name.equals("stock") ? new LockPolicy(null, OnOutage.LOCAL) : LockPolicy.DEFAULT));

	private void outage() {
		this.store.otherwise((kind) -> Fault.failBefore(new StoreException("The store is out.", false, true, null)));
	}

	@Test
	void lockIsTakenWithinTheJvmWhileTheStoreIsOut() throws Exception {
		outage();
		try (Lease lease = this.degrading.acquire(stock())) {
			assertThat(lease.isDegraded()).isTrue();
			assertThat(lease.isHeld()).isTrue();
			assertThat(this.degrading.held()).singleElement().matches(HeldLock::isDegraded);
			Future<Boolean> other = onThread(
					() -> this.degrading.tryAcquire(stock().withWaitTime(Duration.ZERO)).isPresent());
			assertThat(other.get()).isFalse();
		}
		assertThat(this.degrading.held()).isEmpty();
	}

	@Test
	void otherNamesFail() {
		outage();
		assertThatExceptionOfType(LockStoreException.class)
			.isThrownBy(() -> this.degrading.acquire(LockRequest.of("other").withWaitTime(Duration.ZERO)));
	}

	@Test
	void aDegradedLeaseHasNoTokenAndCannotBeKept() {
		outage();
		try (Lease lease = this.degrading.acquire(stock())) {
			assertThatIllegalStateException().isThrownBy(lease::fencingToken)
				.withMessageContaining("within this instance only")
				.withMessageContaining("on-outage = fail");
			assertThatIllegalStateException().isThrownBy(lease::keep).withMessageContaining("on-outage = local");
			assertThat(lease).hasToString("Lease[stock:42, token 0, HELD]");
		}
	}

	@Test
	void contentionIsNoOutage() throws Exception {
		Lease other = heldByAnother(otherJvm("jvm-2"), stock());
		CompletableFuture<Lease> waiting = this.degrading.acquireAsync(stock().withWaitTime(Duration.ofSeconds(1)));
		eventually().until(() -> waiters(this.degrading) == 1);
		// The store has said that somebody else has the lock, and then it goes out.
		eventually().until(() -> this.degrading.statistics().isEmpty()
				&& this.store.count(CommandKind.ACQUIRE) + this.store.count(CommandKind.ACQUIRE_OR_ENQUEUE) > 0);
		assertThatExceptionOfType(LockNotAcquiredException.class)
			.isThrownBy(() -> this.degrading.acquire(stock().withWaitTime(Duration.ZERO)));
		outage();
		assertThat(waiting).failsWithin(Duration.ofSeconds(10))
			.withThrowableThat()
			.withCauseInstanceOf(LockStoreException.class);
		this.store.heal();
		other.close();
	}

	@Test
	void newCallersGoToTheStoreWhenItIsBackAndNeverOverlapALocalHolder() throws Exception {
		outage();
		Lease local = this.degrading.acquire(stock());
		this.store.heal();
		Future<Lease> next = waitingThread(this.degrading, stock().withWaitTime(Duration.ofSeconds(10)));
		assertThat(next).isNotDone();
		local.close();
		// One try a second goes to the store.
		eventually().until(() -> {
			try (Lease lease = this.degrading.acquire(LockRequest.of("stock", "other"))) {
				return !lease.isDegraded();
			}
		});
		next.get(5, TimeUnit.SECONDS).close();
		try (Lease lease = this.degrading.acquire(stock())) {
			assertThat(lease.isDegraded()).isFalse();
			assertThat(lease.fencingToken()).isPositive();
		}
	}

	@Test
	void whileTheStoreIsKnownToBeOutNobodyWaitsForIt() {
		outage();
		this.degrading.acquire(stock()).close();
		this.store.resetCounts();
		long start = System.nanoTime();
		for (int i = 0; i < 50; i++) {
			this.degrading.acquire(LockRequest.of("stock", i)).close();
		}
		assertThat(this.store.count(CommandKind.ACQUIRE) + this.store.count(CommandKind.ACQUIRE_OR_ENQUEUE))
			.as("one try a second")
			.isLessThanOrEqualTo(2 + Duration.ofNanos(System.nanoTime() - start).toSeconds());
	}

	@Test
	void aLockThatTheStoreCannotGiveForGoodDoesNotDegradeTheOthers() throws Exception {
		LockRequest other = LockRequest.of("stock", 43);
		Lease elsewhere = heldByAnother(otherJvm("jvm-2"), other);
		this.store.next(CommandKind.ACQUIRE_OR_ENQUEUE, Fault.failBefore(
				new StoreException("The lock's record is not one that this library wrote.", false, false, null)));
		try (Lease degraded = this.degrading.acquire(stock())) {
			assertThat(degraded.isDegraded()).isTrue();
			// The store is well, and would say who has it.
			assertThat(this.degrading.tryAcquire(other.withWaitTime(Duration.ofMillis(50)))).isEmpty();
			elsewhere.close();
			try (Lease stored = this.degrading.acquire(other)) {
				assertThat(stored.isDegraded()).isFalse();
			}
		}
	}

	@Test
	void aSilentStoreIsOutAsWell() {
		this.store.otherwise((kind) -> Fault.dropReply());
		try (Lease lease = this.degrading.acquire(stock())) {
			assertThat(lease.isDegraded()).isTrue();
		}
		this.store.heal();
		// What the store did without saying so is undone.
		eventually().until(this::storeIsEmpty);
	}

	@Test
	void aLocalLockIsRenewedWithoutTheStore() throws Exception {
		outage();
		try (Lease lease = this.degrading.acquire(stock().withTtl(SHORT_TTL))) {
			Thread.sleep(3 * SHORT_TTL.toMillis());
			assertThat(lease.isHeld()).isTrue();
			lease.extend(Duration.ofSeconds(5));
			assertThat(lease.remaining()).isGreaterThan(Duration.ofSeconds(4));
		}
	}

	@Test
	void aLocalLockWithoutRenewalEndsWithItsTtl() {
		ManualTicker ticker = new ManualTicker();
		FaultyLockStore out = FaultyLockStore.around(this.server.connect("out"));
		out.otherwise((kind) -> Fault.failBefore(new StoreException("The store is out.", false, true, null)));
		LockEngine other = engine((builder) -> builder.store(out.store())
			.ticker(ticker)
			.policies((name) -> new LockPolicy(null, OnOutage.LOCAL)));
		Lease lease = other.acquire(stock().withTtl(Duration.ofSeconds(10)).withRenew(false));
		ticker.advance(Duration.ofSeconds(11));
		assertThatExceptionOfType(LockLostException.class).isThrownBy(lease::close);
	}

	@Test
	void ownersReenterAndSeveralLocksAndFuturesWorkAsWell() throws Exception {
		outage();
		try (Lease outer = this.degrading.acquire(stock()); Lease inner = this.degrading.acquire(stock())) {
			assertThat(outer.isDegraded() && inner.isDegraded()).isTrue();
		}
		try (MultiLease all = this.degrading
			.acquireAll(List.of(LockRequest.of("stock", 1), LockRequest.of("stock", 2)))) {
			assertThat(all.leases()).hasSize(2).allMatch(Lease::isDegraded);
		}
		Lease async = this.degrading.acquireAsync(stock()).get(5, TimeUnit.SECONDS);
		assertThat(async.isDegraded()).isTrue();
		assertThat(async.releaseAsync().toCompletableFuture().get(5, TimeUnit.SECONDS)).isTrue();
		assertThat(this.degrading.held()).isEmpty();
	}

	@Test
	void callersOfOneJvmNeverOverlapWhileTheStoreComesAndGoes() throws Exception {
		AtomicInteger inside = new AtomicInteger();
		AtomicInteger overlaps = new AtomicInteger();
		AtomicInteger local = new AtomicInteger();
		AtomicInteger stored = new AtomicInteger();
		AtomicBoolean stop = new AtomicBoolean();
		List<Future<?>> callers = new ArrayList<>();
		for (int i = 0; i < 8; i++) {
			callers.add(onThread(() -> {
				while (!stop.get()) {
					try (Lease lease = this.degrading.acquire(stock().withWaitTime(Duration.ofSeconds(20)))) {
						if (inside.incrementAndGet() > 1) {
							overlaps.incrementAndGet();
						}
						(lease.isDegraded() ? local : stored).incrementAndGet();
						LockSupport.parkNanos(50_000);
						inside.decrementAndGet();
					}
				}
				return null;
			}));
		}
		for (int i = 0; i < 4; i++) {
			int before = stored.get();
			eventually().until(() -> stored.get() > before);
			outage();
			int degraded = local.get();
			eventually().until(() -> local.get() > degraded);
			this.store.heal();
		}
		stop.set(true);
		for (Future<?> caller : callers) {
			caller.get(30, TimeUnit.SECONDS);
		}
		assertThat(overlaps).hasValue(0);
		assertThat(inside).hasValue(0);
	}

	@Test
	void whatNeedsTheStoreIsRefused() {
		refused(stock().withMode(LockMode.READ), "mode = READ");
		refused(stock().withFair(true), "fair = true");
		refused(stock().withPermits(2), "permits = 2");
		refused(stock().withKeep(true), "keep = true");
		refused(stock().withMinHold(Duration.ofSeconds(1)), "min-hold = 1000ms");
		this.degrading.check(stock());
	}

	private void refused(LockRequest request, String what) {
		assertThatIllegalArgumentException().isThrownBy(() -> this.degrading.check(request))
			.withMessageContaining("on-outage = local does not go with " + what);
	}

}
