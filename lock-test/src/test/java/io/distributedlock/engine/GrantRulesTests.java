package io.distributedlock.engine;

import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;

import io.distributedlock.Lease;
import io.distributedlock.LeaseState;
import io.distributedlock.LockLostException;
import io.distributedlock.LossReason;
import io.distributedlock.test.CommandKind;
import io.distributedlock.test.Fault;
import io.distributedlock.test.FaultyLockStore;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatNoException;

/**
 * Rules E1 to E3, E7 and E8 of the protocol: what a grant serves, how it ends, and how
 * the lock goes from hand to hand in one JVM.
 */
class GrantRulesTests extends EngineFixture {

	@Test
	@Tag("E1")
	void everyLeaseHasATokenAboveAllEarlierOnesAlsoOverLocalHandoffAndOtherJvms() throws Exception {
		LockEngine other = otherJvm("jvm-2");
		List<Long> tokens = new ArrayList<>();
		CountDownLatch done = new CountDownLatch(8);
		for (int i = 0; i < 8; i++) {
			LockEngine engine = (i % 2 == 0) ? this.engine : other;
			this.threads.execute(() -> {
				for (int j = 0; j < 50; j++) {
					try (Lease lease = engine.acquire(stock().withWaitTime(Duration.ofSeconds(20)))) {
						tokens.add(lease.fencingToken());
					}
				}
				done.countDown();
			});
		}
		assertThat(done.await(30, TimeUnit.SECONDS)).isTrue();
		assertThat(tokens).hasSize(400).isSorted().doesNotHaveDuplicates();
	}

	@Test
	@Tag("E2")
	void aKeyThatNobodyUsesLeavesNoGateBehind() {
		for (int i = 0; i < 100; i++) {
			this.engine.acquire(stock()).close();
			assertThat(this.engine.held()).isEmpty();
		}
		assertThat(this.engine.waiting()).isEmpty();
		assertThat(this.engine.gateCount()).isZero();
		assertThat(storeIsEmpty()).isTrue();
	}

	@Test
	@Tag("E3")
	void whenTheStoreForgetsTheGrantAllItsLeasesAreLostAndANewCallerMayHoldTheKey() {
		Lease outer = this.engine.acquire(stock().withTtl(SHORT_TTL));
		Lease nested = this.engine.acquire(stock().withTtl(SHORT_TTL));
		this.engine.forceRelease(key(), null, outer.fencingToken());
		eventually().until(() -> outer.state() == LeaseState.LOST && nested.state() == LeaseState.LOST);
		try (Lease next = otherJvm("jvm-2").acquire(stock())) {
			assertThat(next.fencingToken()).isGreaterThan(outer.fencingToken());
		}
		assertThatExceptionOfType(LockLostException.class).isThrownBy(nested::close)
			.satisfies((ex) -> assertThat(ex.reason()).isEqualTo(LossReason.FORCE_RELEASED));
		assertThatExceptionOfType(LockLostException.class).isThrownBy(outer::close);
	}

	@Test
	@Tag("E3")
	void aLateHolderThatClosesItsLeaseTouchesNeitherTheGateNorTheStoreOfTheNextGeneration() throws Exception {
		Lease late = heldByAnother(this.engine, stock().withTtl(SHORT_TTL).withRenew(false));
		Lease next = this.engine.acquire(stock());
		assertThat(late.isHeld()).isFalse();
		this.faults.resetCounts();
		assertThat(late.release()).isFalse();
		assertThat(this.faults.count()).isZero();
		assertThat(next.isHeld()).isTrue();
		assertThat(this.engine.find(key(), null))
			.hasValueSatisfying((stored) -> assertThat(stored.firstToken()).isEqualTo(next.fencingToken()));
		assertThat(next.release()).isTrue();
	}

	@Test
	@Tag("E7")
	void callersOfOneJvmHandTheLockToEachOtherInOrderWithoutAskingTheStore() throws Exception {
		FaultyLockStore store = FaultyLockStore.around(this.server.connect("unhurried"));
		LockEngine unhurried = engine((builder) -> builder.store(store.store()).handoff(64, Duration.ofMinutes(1)));
		Lease first = heldByAnother(unhurried, stock());
		List<Future<Lease>> waiting = new ArrayList<>();
		for (int i = 0; i < 5; i++) {
			waiting.add(waitingThread(unhurried, stock()));
		}
		eventually().until(() -> store.count(CommandKind.EXTEND) > 0);
		store.resetCounts();
		Lease current = first;
		for (Future<Lease> next : waiting) {
			current.close();
			current = next.get(5, TimeUnit.SECONDS);
		}
		assertThat(store.count()).isZero();
		current.close();
		assertThat(unhurried.statistics().get(0).localHandoffs()).isEqualTo(5);
	}

	@Test
	@Tag("E7")
	void aCallerWithAnotherTtlStartsOnlyAfterTheStoreHasArmedTheGrantWithIt() throws Exception {
		FaultyLockStore store = FaultyLockStore.around(this.server.connect("unhurried"));
		LockEngine unhurried = engine((builder) -> builder.store(store.store()).handoff(64, Duration.ofMinutes(1)));
		Lease first = heldByAnother(unhurried, stock());
		Future<Lease> waiting = waitingThread(unhurried, stock().withTtl(Duration.ofSeconds(20)).withRenew(false));
		eventually().until(() -> store.count(CommandKind.EXTEND) > 0);
		store.resetCounts();
		first.close();
		Lease next = waiting.get(5, TimeUnit.SECONDS);
		assertThat(store.count(CommandKind.RENEW)).isEqualTo(1);
		assertThat(next.remaining()).isBetween(Duration.ofSeconds(15), Duration.ofSeconds(20));
		assertThat(unhurried.find(key(), null))
			.hasValueSatisfying((stored) -> assertThat(stored.remaining()).isLessThanOrEqualTo(Duration.ofSeconds(20)));
		next.close();
	}

	@Test
	@Tag("E7")
	void aReArmingWithoutAnAnswerEndsTheGrantAndTheCallerGetsANewOne() throws Exception {
		Lease first = heldByAnother(this.engine, stock());
		Future<Lease> waiting = waitingThread(this.engine, stock().withTtl(Duration.ofSeconds(2)));
		this.faults.next(CommandKind.RENEW, Fault.dropRequest());
		first.close();
		Lease next = waiting.get(5, TimeUnit.SECONDS);
		assertThat(next.isHeld()).isTrue();
		assertThat(next.fencingToken()).isGreaterThan(first.fencingToken());
		assertThat(next.release()).isTrue();
	}

	@Test
	@Tag("E7")
	void theWatchdogDoesNotRenewALeaseThatDoesNotWantItAlsoAfterOneThatDid() throws Exception {
		Lease first = heldByAnother(this.engine, stock().withTtl(SHORT_TTL));
		Future<Lease> waiting = waitingThread(this.engine, stock().withTtl(SHORT_TTL).withRenew(false));
		first.close();
		Lease next = waiting.get(5, TimeUnit.SECONDS);
		this.faults.resetCounts();
		eventually().until(() -> !next.isHeld());
		assertThat(this.faults.count(CommandKind.RENEW)).isZero();
		assertThat(next.state()).isEqualTo(LeaseState.LOST);
	}

	@Test
	@Tag("E8")
	void aLoneCallerTakesOneTokenAndACrowdTakesABlock() throws Exception {
		FaultyLockStore store = FaultyLockStore.around(this.server.connect("unhurried"));
		// So long a turn that its half is not a second reason to ask.
		LockEngine unhurried = engine((builder) -> builder.store(store.store()).handoff(64, Duration.ofMinutes(1)));
		try (Lease lone = unhurried.acquire(stock())) {
			assertThat(unhurried.find(key(), null))
				.hasValueSatisfying((stored) -> assertThat(stored.lastToken()).isEqualTo(stored.firstToken()));
			for (int i = 0; i < 3; i++) {
				waitingThread(unhurried, stock());
			}
			eventually().until(() -> unhurried.find(key(), null)
				.filter((stored) -> stored.lastToken() >= lone.fencingToken() + 64)
				.isPresent());
			assertThat(store.count(CommandKind.EXTEND)).isEqualTo(1);
		}
	}

	@Test
	@Tag("E8")
	void aBlockHasTokensForCallersThatComeAgain() throws Exception {
		LockEngine other = otherJvm("jvm-2");
		Lease elsewhere = other.acquire(stock());
		for (int i = 0; i < 3; i++) {
			waitingThread(this.engine, stock().withWaitTime(Duration.ofSeconds(10)));
		}
		eventually().until(() -> this.engine.waiting().stream().anyMatch((waited) -> waited.waiters() == 3));
		elsewhere.close();
		eventually().until(() -> this.engine.find(key(), null)
			.filter((stored) -> stored.lastToken() - stored.firstToken() == 3 * 8 - 1)
			.isPresent());
	}

	@Test
	@Tag("E8")
	void whileAnotherJvmWaitsTheTurnEndsWithTheBlockOrItsTime() throws Exception {
		LockEngine other = otherJvm("jvm-2");
		Set<Thread> hammering = new HashSet<>();
		CountDownLatch stop = new CountDownLatch(1);
		for (int i = 0; i < 4; i++) {
			Thread thread = new Thread(() -> {
				while (stop.getCount() > 0) {
					this.engine.acquire(stock().withWaitTime(Duration.ofSeconds(10))).close();
				}
			});
			hammering.add(thread);
			thread.start();
		}
		try {
			for (int i = 0; i < 20; i++) {
				assertThatNoException()
					.isThrownBy(() -> other.acquire(stock().withWaitTime(Duration.ofMillis(500))).close());
			}
		}
		finally {
			stop.countDown();
			for (Thread thread : hammering) {
				thread.join();
			}
		}
	}

	@Test
	@Tag("E8")
	void aReleaseWithCallersLeftAsksForTheNextGrantInTheSameCommandBehindOtherJvms() throws Exception {
		FaultyLockStore store = FaultyLockStore.around(this.server.connect("single"));
		LockEngine single = engine((builder) -> builder.store(store.store()).handoff(1, Duration.ofSeconds(1)));
		Lease alone = heldByAnother(single, stock());
		Future<Lease> next = waitingThread(single, stock());
		store.resetCounts();
		alone.close();
		Lease held = next.get(5, TimeUnit.SECONDS);
		assertThat(store.count(CommandKind.RELEASE_AND_ENQUEUE)).isEqualTo(1);
		assertThat(store.count(CommandKind.ACQUIRE_OR_ENQUEUE)).isZero();
		Future<Lease> elsewhere = waitingThread(this.engine, stock().withWaitTime(Duration.ofSeconds(10)));
		eventually().until(() -> single.find(key(), null).orElseThrow().queue().size() == 1);
		Future<Lease> last = waitingThread(single, stock().withWaitTime(Duration.ofSeconds(10)));
		held.close();
		Lease served = elsewhere.get(5, TimeUnit.SECONDS);
		assertThat(last).isNotDone();
		served.close();
		last.get(5, TimeUnit.SECONDS).close();
	}

}
