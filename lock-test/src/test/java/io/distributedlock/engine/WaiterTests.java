package io.distributedlock.engine;

import java.time.Duration;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;

import io.distributedlock.LockNotAcquiredException;
import io.distributedlock.LockNotAcquiredException.Reason;
import io.distributedlock.LockOwner;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * Rule E4: one compare-and-set decides a caller's fate.
 */
class WaiterTests extends EngineFixture {

	private final LeaseHandle lease = (LeaseHandle) this.engine.acquire(stock());

	private final LeaseHandle another = new LeaseHandle(this.lease.hold, false);

	private static Waiter waiter() {
		return Waiter.blocking(Thread.currentThread(), LockOwner.create("waiter"), false,
				new Profile(new Terms(600_000_000, true, 0, 3_600_000_000_000L, 0), 1), 0, 0, null);
	}

	private static LockNotAcquiredException refusal(Reason reason) {
		return new LockNotAcquiredException(key(), reason, Duration.ZERO, "");
	}

	@Test
	void whoWasGrantedTheLockKeepsThatLease() {
		Waiter waiter = waiter();
		assertThat(waiter.grant(this.lease)).isTrue();
		assertThat(waiter.grant(this.another)).isFalse();
		assertThat(waiter.refuse(refusal(Reason.BUSY))).isFalse();
		assertThat(waiter.lease()).isSameAs(this.lease);
		assertThat(waiter.settled()).isTrue();
		assertThat(waiter.grant(this.another)).isFalse();
		assertThat(waiter.lease()).isSameAs(this.lease);
	}

	@Test
	void whoWasRefusedIsToldTheFirstReason() {
		Waiter waiter = waiter();
		LockNotAcquiredException first = refusal(Reason.BUSY);
		assertThat(waiter.refuse(first)).isTrue();
		assertThat(waiter.refuse(refusal(Reason.SHUTTING_DOWN))).isFalse();
		assertThat(waiter.grant(this.lease)).isFalse();
		assertThat(waiter.failure()).isSameAs(first);
	}

	@Test
	void longWaitIsNotOverBeforeItsCallerHasTakenTheLock() {
		Waiter waiter = waiter();
		LongWait wait = new LongWait(this.engine.runtime(null), this.lease.hold.grant.gate, waiter, 0);
		waiter.grant(this.lease);
		assertThat(wait.isBlocked()).isFalse();
		assertThat(wait.isOver()).as("nobody may look for it any more").isFalse();
		assertThat(waiter.putBack()).isTrue();
		assertThat(wait.isBlocked()).isTrue();
		wait.end();
		assertThat(wait.isOver()).isTrue();
	}

	@Test
	void whoLeavesWhileItIsPutBackInLineDoesLeave() throws Exception {
		Profile fair = new Profile(waiter().profile.terms(), 1, false, true, 1, false);
		KeyGate gate = new CallerGate(this.engine.runtime(null), key(), Way.of(key(), fair));
		for (int i = 0; i < 2_000; i++) {
			Waiter waiter = waiter();
			waiter.grant(this.another);
			Target target = new Target(this.engine.runtime(null), stock(), waiter.profile);
			Ahead.Entered entered = new Ahead.Entered(target, waiter, gate);
			Future<?> leaving = onThread(() -> {
				entered.leave();
				return null;
			});
			while (!leaving.isDone()) {
				if (waiter.putBack()) {
					waiter.grant(this.another);
				}
			}
			leaving.get(10, TimeUnit.SECONDS);
			assertThat(waiter.state()).isIn(Waiter.State.TAKEN, Waiter.State.CANCELLED);
		}
		assertThat(this.lease.isHeld()).isTrue();
	}

}
