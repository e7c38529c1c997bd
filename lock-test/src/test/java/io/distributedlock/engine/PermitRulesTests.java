package io.distributedlock.engine;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

import io.distributedlock.Lease;
import io.distributedlock.LeaseState;
import io.distributedlock.LockMode;
import io.distributedlock.LockRequest;
import io.distributedlock.test.InMemoryLockStore;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

/**
 * Locks that a number of callers may hold at once.
 */
class PermitRulesTests extends EngineFixture {

	private static LockRequest permit() {
		return stock().withPermits(3).withWaitTime(Duration.ofSeconds(10));
	}

	@Test
	void noMoreThanThePermitsAreHeldInTheWholeCluster() throws Exception {
		LockEngine other = otherJvm("jvm-2");
		AtomicInteger in = new AtomicInteger();
		AtomicInteger most = new AtomicInteger();
		List<Future<?>> callers = new ArrayList<>();
		for (int i = 0; i < 12; i++) {
			LockEngine jvm = (i % 2 == 0) ? this.engine : other;
			callers.add(onThread(() -> {
				for (int j = 0; j < 10; j++) {
					Lease lease = jvm.acquire(permit());
					most.accumulateAndGet(in.incrementAndGet(), Math::max);
					Thread.sleep(1);
					in.decrementAndGet();
					lease.close();
				}
				return null;
			}));
		}
		for (Future<?> caller : callers) {
			caller.get(60, TimeUnit.SECONDS);
		}
		assertThat(most).hasValue(3);
		eventually().until(this::storeIsEmpty);
		assertThat(this.engine.gateCount()).isZero();
	}

	@Test
	void eachHolderHasALeaseAndATokenOfItsOwn() throws Exception {
		Lease first = heldByAnother(this.engine, permit());
		Lease second = heldByAnother(this.engine, permit());
		Lease third = heldByAnother(otherJvm("jvm-2"), permit());
		assertThat(List.of(first.fencingToken(), second.fencingToken(), third.fencingToken())).doesNotHaveDuplicates();
		assertThat(this.engine.held()).hasSize(2);
		assertThat(this.engine.tryAcquire(permit().withWaitTime(Duration.ZERO))).isEmpty();
		second.close();
		assertThat(first.isHeld() && third.isHeld()).isTrue();
		try (Lease fourth = this.engine.acquire(permit())) {
			assertThat(fourth.fencingToken()).isGreaterThan(third.fencingToken());
		}
		first.close();
		third.close();
	}

	@Test
	void aPermitOfADeadJvmComesBackAfterItsTtl() throws Exception {
		InMemoryLockStore dying = this.server.connect("dying");
		LockEngine dead = engine((builder) -> builder.store(dying));
		for (int i = 0; i < 3; i++) {
			heldByAnother(dead, permit().withTtl(SHORT_TTL));
		}
		dying.close();
		long start = System.nanoTime();
		this.engine.acquire(permit()).close();
		assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(SHORT_TTL.plusSeconds(4));
	}

	@Test
	void permitsAreRenewed() throws Exception {
		Lease first = heldByAnother(this.engine, permit().withTtl(SHORT_TTL));
		Lease second = heldByAnother(this.engine, permit().withTtl(SHORT_TTL));
		long start = System.nanoTime();
		eventually().until(() -> System.nanoTime() - start > SHORT_TTL.multipliedBy(2).toNanos());
		assertThat(first.isHeld() && second.isHeld()).isTrue();
		first.close();
		second.close();
		assertThat(storeIsEmpty()).isTrue();
	}

	@Test
	void anOrdinaryLockOfTheKeyWaitsUntilAllPermitsAreBack() throws Exception {
		Lease first = heldByAnother(this.engine, permit());
		Lease second = heldByAnother(this.engine, permit());
		Future<Lease> alone = waitingThread(this.engine, stock());
		first.close();
		assertThat(alone.isDone()).isFalse();
		second.close();
		alone.get(5, TimeUnit.SECONDS).close();
	}

	@Test
	void aMinHoldKeepsThePermitTaken() throws Exception {
		LockRequest two = stock().withPermits(2).withWaitTime(Duration.ofSeconds(5));
		Lease kept = heldByAnother(this.engine, two.withMinHold(Duration.ofMillis(1500)));
		Lease other = heldByAnother(this.engine, two);
		kept.close();
		assertThat(this.engine.tryAcquire(two.withWaitTime(Duration.ZERO))).isEmpty();
		this.engine.acquire(two).close();
		assertThat(other.isHeld()).isTrue();
		other.close();
		eventually().until(this::storeIsEmpty);
	}

	@Test
	void theSameOwnerNeedsNoSecondPermit() {
		LockRequest two = stock().withPermits(2);
		try (Lease outer = this.engine.acquire(two); Lease inner = this.engine.acquire(two)) {
			assertThat(inner.fencingToken()).isEqualTo(outer.fencingToken());
			assertThat(otherJvm("jvm-2").tryAcquire(two.withWaitTime(Duration.ZERO))).isPresent();
		}
	}

	@Test
	void anOwnerWithAPermitCannotHaveTheWholeLock() {
		try (Lease permit = this.engine.acquire(permit())) {
			assertThatIllegalStateException().isThrownBy(() -> this.engine.acquire(stock()))
				.withMessageContaining("has one of its permits");
			assertThatIllegalStateException().isThrownBy(() -> this.engine.acquire(stock().withMode(LockMode.READ)))
				.withMessageContaining("has one of its permits");
			assertThat(permit.isHeld()).isTrue();
		}
		assertThat(storeIsEmpty()).isTrue();
	}

	@Test
	void aPermitThatWasEndedByForceIsLostAndTheOthersAreNot() throws Exception {
		Lease first = heldByAnother(this.engine, permit());
		Lease second = heldByAnother(this.engine, permit());
		assertThat(otherJvm("operator").forceRelease(key(), null, first.fencingToken())).isTrue();
		eventually().until(() -> first.state() == LeaseState.LOST);
		assertThat(second.isHeld()).isTrue();
		first.release();
		second.close();
		assertThat(this.engine.gateCount()).isZero();
	}

}
