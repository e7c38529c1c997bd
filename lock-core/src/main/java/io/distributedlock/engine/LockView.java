package io.distributedlock.engine;

import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.Lock;

import io.distributedlock.Lease;
import io.distributedlock.LockContext;
import io.distributedlock.LockMode;
import io.distributedlock.LockNotAcquiredException;
import io.distributedlock.LockNotAcquiredException.Reason;
import io.distributedlock.LockOwner;
import io.distributedlock.LockRequest;
import io.distributedlock.LockSettings;

/**
 * A lock as {@link Lock}. The leases of a caller are found through its owner, so that the
 * view keeps no state.
 */
final class LockView implements Lock {

	private final LockEngine engine;

	private final LockRequest request;

	LockView(LockEngine engine, LockRequest request) {
		this.engine = engine;
		this.request = request;
	}

	@Override
	public void lock() {
		boolean interrupted = Thread.interrupted();
		try {
			while (true) {
				try {
					this.engine.acquire(this.request.withWaitTime(LockSettings.MAX_DURATION));
					return;
				}
				catch (LockNotAcquiredException ex) {
					// lock() does not end by an interrupt; the caller sees the flag
					// later.
					if (ex.reason() != Reason.INTERRUPTED) {
						throw ex;
					}
					interrupted |= Thread.interrupted();
				}
			}
		}
		finally {
			if (interrupted) {
				Thread.currentThread().interrupt();
			}
		}
	}

	@Override
	public void lockInterruptibly() throws InterruptedException {
		tryFor(LockSettings.MAX_DURATION);
	}

	@Override
	public boolean tryLock() {
		boolean interrupted = Thread.interrupted();
		try {
			return this.engine.tryAcquire(this.request.withWaitTime(Duration.ZERO)).isPresent();
		}
		finally {
			if (interrupted) {
				Thread.currentThread().interrupt();
			}
		}
	}

	@Override
	public boolean tryLock(long time, TimeUnit unit) throws InterruptedException {
		Duration wait = Duration.ofNanos(Math.max(0, unit.toNanos(time)));
		return tryFor((wait.compareTo(LockSettings.MAX_DURATION) > 0) ? LockSettings.MAX_DURATION : wait).isPresent();
	}

	private Optional<Lease> tryFor(Duration wait) throws InterruptedException {
		try {
			return this.engine.tryAcquire(this.request.withWaitTime(wait));
		}
		catch (LockNotAcquiredException ex) {
			if (ex.reason() == Reason.INTERRUPTED) {
				Thread.interrupted();
				InterruptedException interruption = new InterruptedException(ex.getMessage());
				interruption.initCause(ex);
				throw interruption;
			}
			throw ex;
		}
	}

	@Override
	public void unlock() {
		LockOwner owner = (this.request.owner() != null) ? this.request.owner() : LockContext.owner();
		String store = this.engine.storeOf(this.request);
		List<Lease> leases = owner.leases();
		for (int i = leases.size() - 1; i >= 0; i--) {
			Lease lease = leases.get(i);
			if (lease.key().equals(this.request.key()) && lease.store().equals(store)
					&& lease.mode() == this.request.mode()) {
				lease.close();
				return;
			}
		}
		throw new IllegalMonitorStateException("Lock '" + this.request.key() + "' is not held by " + owner
				+ ((this.request.mode() == LockMode.READ) ? " to read" : ""));
	}

	@Override
	public Condition newCondition() {
		throw new UnsupportedOperationException("A distributed lock has no conditions: a waiter on another JVM could"
				+ " not be signalled reliably. Use a message queue or poll under the lock.");
	}

	@Override
	public String toString() {
		return ((this.request.mode() == LockMode.READ) ? "ReadLock[" : "Lock[") + this.request.key() + "]";
	}

}
