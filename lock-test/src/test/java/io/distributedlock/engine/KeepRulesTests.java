package io.distributedlock.engine;

import java.time.Duration;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;

import io.distributedlock.Lease;
import io.distributedlock.LeaseState;
import io.distributedlock.LockInspector.StoredLock.State;
import io.distributedlock.LockLostException;
import io.distributedlock.LockRequest;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

/**
 * Rule E10 of the protocol for {@code keep}: the key stays taken, by nobody, until the
 * ttl from acquisition is over, if the work ended normally.
 */
@Tag("E10")
class KeepRulesTests extends EngineFixture {

	private static final Duration TTL = Duration.ofMillis(900);

	private static LockRequest once() {
		return stock().withTtl(TTL).withKeep(true);
	}

	private static LockRequest oneTry() {
		return stock().withWaitTime(Duration.ZERO);
	}

	@Test
	void afterANormalEndTheKeyIsRefusedToAllUntilTheTtlFromAcquisitionIsOver() {
		LockEngine other = otherJvm("jvm-2");
		long start = System.nanoTime();
		assertThat(this.engine.<String, RuntimeException>execute(once(), (lease) -> "done")).isEqualTo("done");
		assertThat(this.engine.find(key(), null)).hasValueSatisfying((stored) -> {
			assertThat(stored.state()).isEqualTo(State.COOLING);
			assertThat(stored.remaining()).isLessThanOrEqualTo(TTL);
		});
		assertThat(this.engine.tryAcquire(oneTry())).isEmpty();
		assertThat(other.tryAcquire(oneTry())).isEmpty();
		other.acquire(stock().withWaitTime(Duration.ofSeconds(5))).close();
		assertThat(since(start)).isGreaterThanOrEqualTo(TTL.minusMillis(20)).isLessThan(Duration.ofSeconds(4));
		eventually().until(this::storeIsEmpty);
	}

	@Test
	void afterAnExceptionTheKeyIsFreeAtOnce() {
		assertThatIllegalStateException().isThrownBy(() -> this.engine.executeWithoutResult(once(), (lease) -> {
			throw new IllegalStateException("the work's own");
		})).withMessage("the work's own");
		assertThat(storeIsEmpty()).isTrue();
		otherJvm("jvm-2").acquire(oneTry()).close();
	}

	@Test
	void whoAcquiresALeaseDecidesHimselfWhetherToKeep() {
		this.engine.acquire(once()).close();
		assertThat(storeIsEmpty()).isTrue();
		Lease lease = this.engine.acquire(stock().withTtl(TTL));
		lease.keep();
		assertThat(lease.isHeld()).isTrue();
		lease.close();
		assertThat(lease.state()).isEqualTo(LeaseState.RELEASED);
		assertThat(this.engine.tryAcquire(oneTry())).isEmpty();
	}

	@Test
	void whatANestedLeaseKeepsStaysTakenAfterTheOuterOneToo() {
		Lease outer = this.engine.acquire(stock().withTtl(TTL));
		this.engine.executeWithoutResult(once(), (lease) -> assertThat(outer.isHeld()).isTrue());
		assertThat(outer.isHeld()).isTrue();
		outer.close();
		assertThat(this.engine.tryAcquire(oneTry())).isEmpty();
		assertThat(otherJvm("jvm-2").tryAcquire(oneTry())).isEmpty();
	}

	@Test
	void aLockThatWasLostIsNotKept() {
		Lease lease = this.engine.acquire(stock());
		this.engine.forceRelease(key(), null, lease.fencingToken());
		eventually().until(() -> lease.state() == LeaseState.LOST);
		assertThatExceptionOfType(LockLostException.class).isThrownBy(lease::keep);
		assertThatExceptionOfType(LockLostException.class).isThrownBy(lease::close);
		assertThat(storeIsEmpty()).isTrue();
	}

	@Test
	void workUnderALockThatWasLostIsNotReportedAsKept() {
		assertThatExceptionOfType(LockLostException.class)
			.isThrownBy(() -> this.engine.executeWithoutResult(once().withTtl(Duration.ofSeconds(30)), (lease) -> {
				this.engine.forceRelease(key(), null, lease.fencingToken());
				eventually().until(() -> !lease.isHeld());
			}));
		otherJvm("jvm-2").acquire(oneTry()).close();
	}

	@Test
	void aLeaseThatWasReleasedCannotBeKept() {
		Lease lease = this.engine.acquire(stock());
		lease.close();
		assertThatIllegalStateException().isThrownBy(lease::keep).withMessageContaining("released already");
	}

	@Test
	void localWaitersWaitUntilItIsOver() throws Exception {
		long start = System.nanoTime();
		Lease lease = heldByAnother(this.engine, stock().withTtl(TTL));
		Future<Lease> waiting = waitingThread(this.engine, stock());
		lease.keep();
		lease.close();
		Lease next = waiting.get(5, TimeUnit.SECONDS);
		assertThat(since(start)).isGreaterThanOrEqualTo(TTL.minusMillis(20));
		assertThat(next.fencingToken()).isGreaterThan(lease.fencingToken());
		next.close();
	}

	@Test
	void anAsynchronousReleaseKeepsToo() throws Exception {
		Lease lease = this.engine.acquireAsync(stock().withTtl(TTL)).get(5, TimeUnit.SECONDS);
		lease.keep();
		assertThat(lease.releaseAsync().toCompletableFuture().get(5, TimeUnit.SECONDS)).isTrue();
		assertThat(this.engine.tryAcquire(oneTry())).isEmpty();
		this.engine.acquire(stock()).close();
	}

	@Test
	void theLaterOfKeepAndMinHoldCounts() {
		this.engine.executeWithoutResult(once().withMinHold(Duration.ofSeconds(60)), (lease) -> {
		});
		assertThat(remaining()).isGreaterThan(Duration.ofSeconds(50));
		LockRequest other = LockRequest.of("other").withKeep(true).withMinHold(Duration.ofMillis(10));
		this.engine.executeWithoutResult(other.withTtl(Duration.ofSeconds(60)), (lease) -> {
		});
		assertThat(this.engine.find(other.key(), null))
			.hasValueSatisfying((stored) -> assertThat(stored.remaining()).isGreaterThan(Duration.ofSeconds(50)));
	}

	@Test
	void theTimeCountsFromAcquisitionAlsoAfterARenewal() {
		long start = System.nanoTime();
		this.engine.executeWithoutResult(stock().withTtl(Duration.ofSeconds(3)).withKeep(true),
				(lease) -> eventually().until(() -> since(start).compareTo(Duration.ofMillis(1500)) > 0));
		// The clock of the test starts a moment before the acquisition.
		assertThat(remaining()).isLessThanOrEqualTo(Duration.ofMillis(1700));
	}

	@Test
	void workThatTookLongerThanTheTtlKeepsNothing() {
		long start = System.nanoTime();
		this.engine.executeWithoutResult(once(),
				(lease) -> eventually().until(() -> since(start).compareTo(TTL.plusMillis(100)) > 0));
		assertThat(storeIsEmpty()).isTrue();
	}

	private Duration remaining() {
		return this.engine.find(key(), null).orElseThrow().remaining();
	}

	private static Duration since(long start) {
		return Duration.ofNanos(System.nanoTime() - start);
	}

}
