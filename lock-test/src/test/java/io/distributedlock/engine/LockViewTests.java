package io.distributedlock.engine;

import java.time.Duration;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Lock;

import io.distributedlock.Lease;
import io.distributedlock.LockLostException;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

/**
 * A lock seen as {@link Lock}.
 */
class LockViewTests extends EngineFixture {

	private final Lock lock = this.engine.asLock(stock());

	@Test
	void lockAndUnlockNestAndFreeTheKeyWithTheLastUnlock() {
		this.lock.lock();
		this.engine.asLock(stock()).lock();
		this.lock.unlock();
		assertThat(this.engine.held()).hasSize(1);
		this.lock.unlock();
		assertThat(storeIsEmpty()).isTrue();
	}

	@Test
	void unlockOfALockThatIsNotHeldIsRefused() {
		assertThatExceptionOfType(IllegalMonitorStateException.class).isThrownBy(this.lock::unlock)
			.withMessageContaining("stock:42");
	}

	@Test
	void unlockByAnotherThreadIsRefused() throws Exception {
		Lease held = heldByAnother(this.engine, stock());
		assertThatExceptionOfType(IllegalMonitorStateException.class).isThrownBy(this.lock::unlock);
		held.close();
	}

	@Test
	void tryLockDoesNotWaitAndTryLockWithATimeDoes() throws Exception {
		Lease held = heldByAnother(this.engine, stock());
		assertThat(this.lock.tryLock()).isFalse();
		assertThat(this.lock.tryLock(50, TimeUnit.MILLISECONDS)).isFalse();
		Future<Boolean> release = onThread(() -> {
			eventually().until(() -> waiters(this.engine) == 1);
			return held.release();
		});
		assertThat(this.lock.tryLock(5, TimeUnit.SECONDS)).isTrue();
		assertThat(release.get()).isTrue();
		this.lock.unlock();
	}

	@Test
	void anInterruptEndsLockInterruptiblyButNotLock() throws Exception {
		Lease held = heldByAnother(this.engine, stock());
		Thread.currentThread().interrupt();
		assertThatExceptionOfType(InterruptedException.class).isThrownBy(this.lock::lockInterruptibly);
		assertThat(Thread.currentThread().isInterrupted()).isFalse();
		Future<Boolean> flag = onThread(() -> {
			Thread.currentThread().interrupt();
			this.lock.lock();
			boolean interrupted = Thread.interrupted();
			this.lock.unlock();
			return interrupted;
		});
		eventually().until(() -> waiters(this.engine) == 1);
		held.close();
		assertThat(flag.get(5, TimeUnit.SECONDS)).isTrue();
	}

	@Test
	void unlockTellsThatTheLockWasLost() {
		Lock short1 = this.engine.asLock(stock().withTtl(SHORT_TTL).withRenew(false).withWaitTime(Duration.ZERO));
		short1.lock();
		eventually().until(() -> this.engine.gateCount() == 0);
		assertThatExceptionOfType(LockLostException.class).isThrownBy(short1::unlock);
		assertThatExceptionOfType(IllegalMonitorStateException.class).isThrownBy(short1::unlock);
	}

	@Test
	void conditionsAreNotSupported() {
		assertThatExceptionOfType(UnsupportedOperationException.class).isThrownBy(this.lock::newCondition);
	}

}
