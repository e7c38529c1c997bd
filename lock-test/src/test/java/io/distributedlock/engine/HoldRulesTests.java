package io.distributedlock.engine;

import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;

import io.distributedlock.Lease;
import io.distributedlock.LeaseState;
import io.distributedlock.LockContext;
import io.distributedlock.LockInspector.StoredLock.State;
import io.distributedlock.LockKey;
import io.distributedlock.LockListener;
import io.distributedlock.LockLostException;
import io.distributedlock.LockNotAcquiredException;
import io.distributedlock.LockOwner;
import io.distributedlock.LockRequest;
import io.distributedlock.LockStoreException;
import io.distributedlock.LossReason;
import io.distributedlock.spi.StoreException;
import io.distributedlock.test.CommandKind;
import io.distributedlock.test.Fault;
import io.distributedlock.test.FaultyLockStore;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

/**
 * Rules E7 (max-hold), E10, E11 and E12 of the protocol: how long a lock is kept, who may
 * enter again, and how it is given back.
 */
class HoldRulesTests extends EngineFixture {

	@Test
	@Tag("E7")
	void afterItsMaxHoldALeaseIsRenewedNoMoreAndLost() {
		AtomicInteger warned = new AtomicInteger();
		LockEngine listening = engine(
				(builder) -> builder.store(this.server.connect("listening")).listener(new LockListener() {

					@Override
					public void onLongHold(Lease lease, Duration held) {
						warned.incrementAndGet();
					}

				}));
		long start = System.nanoTime();
		Lease lease = listening.acquire(stock().withTtl(SHORT_TTL).withMaxHold(Duration.ofSeconds(1)));
		eventually().until(() -> lease.state() == LeaseState.LOST);
		assertThat(Duration.ofNanos(System.nanoTime() - start)).isBetween(Duration.ofSeconds(1), Duration.ofSeconds(5));
		assertThatExceptionOfType(LockLostException.class).isThrownBy(lease::close)
			.withMessageContaining("maxHold")
			.satisfies((ex) -> assertThat(ex.reason()).isEqualTo(LossReason.MAX_HOLD));
		eventually().until(() -> warned.get() == 1);
	}

	@Test
	@Tag("E7")
	void maxHoldCountsForEachLeaseFromItsOwnStart() throws Exception {
		LockRequest request = stock().withTtl(SHORT_TTL).withMaxHold(Duration.ofSeconds(3));
		Lease first = heldByAnother(this.engine, request);
		Future<Lease> waiting = waitingThread(this.engine, request);
		eventually().until(() -> this.engine.held().get(0).held().compareTo(Duration.ofMillis(2200)) > 0);
		first.close();
		Lease second = waiting.get(5, TimeUnit.SECONDS);
		// Together, that is more than the max-hold and a ttl.
		eventually().until(() -> this.engine.held().get(0).held().compareTo(Duration.ofMillis(1900)) > 0);
		assertThat(second.release()).isTrue();
	}

	@Test
	@Tag("E10")
	void aMinHoldKeepsTheKeyTakenAfterTheRelease() {
		LockEngine other = otherJvm("jvm-2");
		Lease lease = this.engine.acquire(stock().withMinHold(Duration.ofSeconds(2)));
		assertThat(lease.release()).isTrue();
		assertThat(lease.state()).isEqualTo(LeaseState.RELEASED);
		assertThat(this.engine.find(key(), null)).hasValueSatisfying((stored) -> {
			assertThat(stored.state()).isEqualTo(State.COOLING);
			assertThat(stored.remaining()).isLessThanOrEqualTo(Duration.ofSeconds(2));
		});
		assertThat(other.tryAcquire(stock().withWaitTime(Duration.ZERO))).isEmpty();
		assertThat(this.engine.tryAcquire(stock().withWaitTime(Duration.ZERO))).isEmpty();
		other.acquire(stock().withWaitTime(Duration.ofSeconds(10))).close();
	}

	@Test
	@Tag("E10")
	void whileCoolingTheSameOwnerMayNotReEnterAndWaitersAreServedAfterwards() throws Exception {
		this.engine.acquire(stock().withMinHold(Duration.ofSeconds(2))).close();
		assertThatExceptionOfType(LockNotAcquiredException.class)
			.isThrownBy(() -> this.engine.acquire(stock().withWaitTime(Duration.ofMillis(50))))
			.withMessageContaining("whole wait time of 50ms")
			.withMessageContaining("kept after its release, by keep or its min-hold, for another ");
		long start = System.nanoTime();
		this.engine.acquire(stock()).close();
		assertThat(Duration.ofNanos(System.nanoTime() - start)).isGreaterThan(Duration.ofMillis(300));
		eventually().until(() -> this.engine.gateCount() == 0);
	}

	@Test
	@Tag("E10")
	void aMinHoldLongerThanTheTtlAlsoHoldsAfterACrash() {
		this.engine.acquire(stock().withTtl(SHORT_TTL).withMinHold(Duration.ofSeconds(60)));
		assertThat(this.engine.find(key(), null))
			.hasValueSatisfying((stored) -> assertThat(stored.remaining()).isGreaterThan(Duration.ofSeconds(55)));
	}

	@Test
	@Tag("E10")
	void aMinHoldThatIsOverFreesTheKeyAtOnce() {
		Lease lease = this.engine.acquire(stock().withMinHold(Duration.ofMillis(50)));
		eventually().until(() -> this.engine.held().get(0).held().compareTo(Duration.ofMillis(60)) > 0);
		lease.close();
		assertThat(storeIsEmpty()).isTrue();
	}

	@Test
	@Tag("E11")
	void theSameOwnerEntersAgainWithTheSameTokenAndTheLockEndsWithTheLastLease() {
		Lease outer = this.engine.acquire(stock());
		Lease nested = this.engine.acquire(stock());
		assertThat(nested.fencingToken()).isEqualTo(outer.fencingToken());
		assertThat(this.engine.held().get(0).nested()).isEqualTo(2);
		outer.close();
		assertThat(outer.state()).isEqualTo(LeaseState.RELEASED);
		assertThat(nested.isHeld()).isTrue();
		assertThat(otherJvm("jvm-2").tryAcquire(stock().withWaitTime(Duration.ZERO))).isEmpty();
		nested.close();
		assertThat(storeIsEmpty()).isTrue();
		assertThat(LockContext.leases()).isEmpty();
	}

	@Test
	@Tag("E11")
	void anotherOwnerOnTheSameThreadHasToWait() {
		try (Lease held = this.engine.acquire(stock())) {
			assertThat(this.engine.tryAcquire(stock().withOwner(LockOwner.create("job")).withWaitTime(Duration.ZERO)))
				.isEmpty();
			assertThat(held.isHeld()).isTrue();
		}
	}

	@Test
	@Tag("E11")
	void anExplicitOwnerEntersAgainFromAnotherThread() throws Exception {
		LockOwner owner = LockOwner.create("flow");
		Lease outer = this.engine.acquire(stock().withOwner(owner));
		Lease nested = heldByAnother(this.engine, stock().withOwner(owner));
		assertThat(nested.fencingToken()).isEqualTo(outer.fencingToken());
		assertThat(owner.leases()).containsExactly(outer, nested);
		assertThat(LockContext.leases()).isEmpty();
		outer.close();
		nested.close();
	}

	@Test
	@Tag("E11")
	void anAsynchronousCallIsAnOwnerOfItsOwn() throws Exception {
		Lease first = this.engine.acquireAsync(stock()).get(5, TimeUnit.SECONDS);
		CompletableFuture<Lease> second = this.engine.acquireAsync(stock());
		assertThat(this.engine.tryAcquire(stock().withWaitTime(Duration.ZERO))).isEmpty();
		assertThat(second).isNotDone();
		assertThat(first.releaseAsync().toCompletableFuture().get(5, TimeUnit.SECONDS)).isTrue();
		second.get(5, TimeUnit.SECONDS).close();
	}

	@Test
	@Tag("E11")
	void anAsynchronousCallUnderABoundOwnerEntersAgain() throws Exception {
		LockOwner owner = LockOwner.create("flow");
		LockContext.Scope scope = LockContext.bind(owner);
		try {
			Lease outer = this.engine.acquireAsync(stock()).get(5, TimeUnit.SECONDS);
			Lease nested = this.engine.acquireAsync(stock()).get(5, TimeUnit.SECONDS);
			assertThat(nested.fencingToken()).isEqualTo(outer.fencingToken());
			assertThat(LockContext.current("stock")).contains(nested);
			nested.close();
			outer.close();
		}
		finally {
			scope.close();
		}
		assertThat(LockContext.boundOwner()).isNull();
	}

	@Test
	@Tag("E11")
	void callsOfOneOwnerThatWaitTogetherAreGrantedTogether() throws Exception {
		Lease held = heldByAnother(this.engine, stock());
		LockOwner owner = LockOwner.create("flow");
		CompletableFuture<Lease> first = this.engine.acquireAsync(stock().withOwner(owner));
		CompletableFuture<Lease> stranger = this.engine.acquireAsync(stock());
		CompletableFuture<Lease> second = this.engine.acquireAsync(stock().withOwner(owner));
		held.close();
		Lease outer = first.get(5, TimeUnit.SECONDS);
		Lease nested = second.get(5, TimeUnit.SECONDS);
		assertThat(nested.fencingToken()).isEqualTo(outer.fencingToken());
		assertThat(stranger).isNotDone();
		outer.close();
		nested.close();
		stranger.get(5, TimeUnit.SECONDS).close();
	}

	@Test
	@Tag("E11")
	void anOwnerMayReEnterWhileThisInstanceShutsDown() throws Exception {
		LockOwner owner = LockOwner.create("flow");
		Lease outer = this.engine.acquire(stock().withOwner(owner));
		Future<Boolean> stopping = onThread(() -> this.engine.stop(Duration.ofSeconds(5)));
		eventually().until(() -> !this.engine.isRunning());
		this.engine.acquire(stock().withOwner(owner)).close();
		this.engine.acquireAsync(stock().withOwner(owner)).get(5, TimeUnit.SECONDS).close();
		outer.close();
		assertThat(stopping.get(5, TimeUnit.SECONDS)).isTrue();
	}

	@Test
	@Tag("E11")
	void aNestedLeaseCanLengthenTheTtlButNeverShortenIt() {
		Lease outer = this.engine.acquire(stock().withTtl(Duration.ofSeconds(5)));
		Lease shorter = this.engine.acquire(stock().withTtl(Duration.ofSeconds(1)));
		assertThat(outer.remaining()).isGreaterThan(Duration.ofSeconds(4));
		Lease longer = this.engine.acquire(stock().withTtl(Duration.ofSeconds(20)));
		assertThat(outer.remaining()).isGreaterThan(Duration.ofSeconds(19));
		longer.close();
		shorter.close();
		outer.close();
	}

	@Test
	@Tag("E11")
	void aNestedMinHoldTakesTheLaterEnd() {
		Lease outer = this.engine.acquire(stock());
		Lease nested = this.engine.acquire(stock().withMinHold(Duration.ofSeconds(30)));
		nested.close();
		outer.close();
		assertThat(this.engine.find(key(), null))
			.hasValueSatisfying((stored) -> assertThat(stored.state()).isEqualTo(State.COOLING));
	}

	@Test
	@Tag("E11")
	void anExtensionIsAFloorThatRenewalsDoNotShorten() {
		Lease lease = this.engine.acquire(stock().withTtl(SHORT_TTL));
		lease.extend(Duration.ofSeconds(5));
		assertThat(lease.remaining()).isGreaterThan(Duration.ofMillis(4_900));
		long extended = System.nanoTime();
		long renewals = this.faults.count(CommandKind.RENEW);
		eventually().until(() -> this.faults.count(CommandKind.RENEW) > renewals);
		Duration since = Duration.ofNanos(System.nanoTime() - extended);
		assertThat(lease.remaining().plus(since)).isGreaterThan(Duration.ofMillis(4_900));
		assertThat(this.engine.find(key(), null))
			.hasValueSatisfying((stored) -> assertThat(stored.remaining()).isGreaterThanOrEqualTo(lease.remaining()));
		lease.close();
	}

	@Test
	@Tag("E11")
	void anExtensionThatTheStoreDoesNotAnswerIsAnOutageAndTheOldDeadlineHolds() {
		Lease lease = this.engine.acquire(stock().withTtl(Duration.ofSeconds(10)));
		this.faults.next(CommandKind.RENEW, Fault.failBefore(new StoreException("away", false, true, null)));
		assertThatExceptionOfType(LockStoreException.class).isThrownBy(() -> lease.extend(Duration.ofSeconds(60)));
		assertThat(lease.isHeld()).isTrue();
		assertThat(lease.remaining()).isLessThan(Duration.ofSeconds(10));
		lease.close();
	}

	@Test
	@Tag("E5")
	@Tag("E11")
	void aRenewalThatIsExecutedAfterALongerExtensionDoesNotEndTheLockBeforeTheLease() {
		Lease lease = this.engine.acquire(stock().withTtl(Duration.ofSeconds(2)));
		this.faults.next(CommandKind.RENEW, Fault.holdBack());
		eventually().until(() -> !this.faults.heldBack().isEmpty());
		assertThatExceptionOfType(LockStoreException.class).isThrownBy(() -> lease.extend(Duration.ofSeconds(60)))
			.withMessageContaining("may still be executed");
		this.faults.heldBack().get(0).deliver();
		assertThat(this.engine.find(key(), null))
			.hasValueSatisfying((stored) -> assertThat(stored.remaining()).isGreaterThanOrEqualTo(lease.remaining()));
		assertThat(lease.isHeld()).isTrue();
		lease.close();
	}

	@Test
	@Tag("E11")
	void aRenewalThatCertainlyWasNotExecutedDoesNotPreventAnExtension() {
		Lease lease = this.engine.acquire(stock().withTtl(Duration.ofSeconds(2)));
		this.faults.next(CommandKind.RENEW, Fault.failBefore(new StoreException("away", false, true, null)));
		eventually().until(() -> this.faults.count(CommandKind.RENEW) > 0);
		lease.extend(Duration.ofSeconds(60));
		assertThat(lease.remaining()).isGreaterThan(Duration.ofSeconds(50));
		lease.close();
	}

	@Test
	@Tag("E12")
	void aReleasedLeaseIsReleasedOnceAndTellsItsCallers() {
		Lease lease = this.engine.acquire(stock());
		assertThat(lease.release()).isTrue();
		assertThat(lease.release()).isFalse();
		lease.close();
		assertThat(lease.state()).isEqualTo(LeaseState.RELEASED);
		assertThat(lease.isHeld()).isFalse();
		assertThatIllegalStateException().isThrownBy(lease::assertHeld).withMessageContaining("released already");
		assertThat(this.faults.count(CommandKind.RELEASE)).isEqualTo(1);
	}

	@Test
	@Tag("E12")
	void aReleaseThatFindsTheLockGoneIsALoss() {
		Lease lease = this.engine.acquire(stock());
		this.faults.loseSignals(() -> true);
		otherJvm("operator").forceRelease(key(), null, lease.fencingToken());
		assertThat(lease.isHeld()).isTrue();
		assertThatExceptionOfType(LockLostException.class).isThrownBy(lease::close)
			.satisfies((ex) -> assertThat(ex.reason()).isEqualTo(LossReason.NOT_OWNER));
		assertThat(lease.state()).isEqualTo(LeaseState.LOST);
	}

	@Test
	@Tag("E12")
	void aReleaseWithoutAnAnswerIsReportedAndRepeatedButNeverThrown() {
		AtomicReference<Throwable> unconfirmed = new AtomicReference<>();
		AtomicInteger released = new AtomicInteger();
		FaultyLockStore faulty = FaultyLockStore.around(this.server.connect("faulty"));
		LockEngine listening = engine((builder) -> builder.store(faulty.store()).listener(new LockListener() {

			@Override
			public void onReleaseUnconfirmed(Lease lease, Throwable cause) {
				unconfirmed.set(cause);
			}

			@Override
			public void onReleased(Lease lease, Duration held) {
				released.incrementAndGet();
			}

		}));
		Lease lease = listening.acquire(stock().withTtl(Duration.ofSeconds(3)));
		faulty.next(CommandKind.RELEASE, Fault.dropRequest());
		faulty.next(CommandKind.ABANDON, Fault.dropRequest());
		lease.close();
		assertThat(lease.state()).isEqualTo(LeaseState.RELEASED);
		assertThat(unconfirmed.get()).hasMessageContaining("No reply");
		assertThat(released).hasValue(1);
		eventually().until(this::storeIsEmpty);
	}

	@Test
	@Tag("E12")
	void aReleaseWithoutAnAnswerDoesNotStopTheNextLocalCaller() throws Exception {
		Lease lease = heldByAnother(this.engine, stock().withTtl(Duration.ofSeconds(3)));
		this.faults.next(CommandKind.RELEASE, Fault.dropReply());
		Future<Boolean> release = onThread(lease::release);
		Future<Lease> next = onThread(() -> this.engine.acquire(stock()));
		assertThat(release.get(5, TimeUnit.SECONDS)).isTrue();
		next.get(5, TimeUnit.SECONDS).close();
		eventually().until(this::storeIsEmpty);
	}

	@Test
	@Tag("E12")
	void workThatThrowsKeepsItsExceptionAndCarriesTheLoss() {
		assertThatIllegalStateException().isThrownBy(() -> this.engine.execute(stock(), (lease) -> {
			this.engine.forceRelease(key(), null, lease.fencingToken());
			eventually().until(() -> !lease.isHeld());
			throw new IllegalStateException("the work's own");
		}))
			.withMessage("the work's own")
			.satisfies(
					(ex) -> assertThat(ex.getSuppressed()).hasSize(1).hasOnlyElementsOfType(LockLostException.class));
	}

	@Test
	@Tag("E11")
	void afterAnExtensionIsOverTheLeaseIsRenewedByItsOwnTtlAgain() {
		Lease lease = this.engine.acquire(stock().withTtl(SHORT_TTL));
		lease.extend(Duration.ofSeconds(2));
		long start = System.nanoTime();
		eventually().until(() -> Duration.ofNanos(System.nanoTime() - start).compareTo(Duration.ofSeconds(4)) > 0);
		assertThat(lease.release()).isTrue();
	}

	@Test
	void aLeaseOfAThreadThatHasEndedIsNotRenewedForEverAndTheLossSaysWhy() throws Exception {
		AtomicReference<Lease> leaked = new AtomicReference<>();
		Thread careless = new Thread(() -> leaked.set(this.engine.acquire(stock().withTtl(SHORT_TTL))));
		careless.start();
		careless.join();
		eventually().until(() -> this.engine.gateCount() == 0);
		assertThatExceptionOfType(LockLostException.class).isThrownBy(() -> leaked.get().assertHeld())
			.withMessageContaining("try-with-resources")
			.satisfies((ex) -> assertThat(ex.reason()).isEqualTo(LossReason.OWNER_GONE));
		otherJvm("jvm-2").acquire(stock()).close();
	}

	@Test
	void aShutdownRefusesNewCallersRenewsHoldersAndWaitsForThem() throws Exception {
		Lease held = heldByAnother(this.engine, stock().withTtl(SHORT_TTL));
		Future<Lease> waiting = waitingThread(this.engine, stock().withWaitTime(Duration.ofSeconds(20)));
		Future<Boolean> stopping = onThread(() -> this.engine.stop(Duration.ofSeconds(5)));
		assertThat(waiting).failsWithin(Duration.ofSeconds(5))
			.withThrowableThat()
			.withMessageContaining("shutting down");
		eventually().until(() -> !this.engine.isRunning());
		assertThatExceptionOfType(LockNotAcquiredException.class)
			.isThrownBy(() -> this.engine.acquire(LockRequest.of("other")))
			.satisfies((ex) -> assertThat(ex.reason()).isEqualTo(LockNotAcquiredException.Reason.SHUTTING_DOWN));
		eventually().until(() -> this.faults.count(CommandKind.RENEW) >= 2);
		assertThat(stopping).isNotDone();
		assertThat(held.release()).isTrue();
		assertThat(stopping.get(5, TimeUnit.SECONDS)).isTrue();
		this.engine.start();
		this.engine.acquire(stock()).close();
	}

	@Test
	void codeThatMustRunLockedFindsItsLease() {
		assertThatIllegalStateException().isThrownBy(() -> LockContext.assertHeld("stock"))
			.withMessageContaining("past the proxy");
		this.engine.executeWithoutResult(stock(), (lease) -> {
			LockContext.assertHeld("stock");
			assertThat(LockContext.current()).contains(lease);
			assertThat(LockContext.current("stock").orElseThrow().key()).isEqualTo(LockKey.of("stock", 42));
		});
	}

}
