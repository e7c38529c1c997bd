package io.distributedlock.engine;

import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;

import io.distributedlock.DeadlockDetectedException;
import io.distributedlock.Lease;
import io.distributedlock.LockContext;
import io.distributedlock.LockException;
import io.distributedlock.LockKey;
import io.distributedlock.LockRequest;

/**
 * Callers that take one lock, and a second one when they are told to.
 */
abstract class DeadlockFixture extends EngineFixture {

	static final Duration WAIT = Duration.ofSeconds(5);

	static LockRequest lock(String name) {
		return LockRequest.of(name).withWaitTime(WAIT);
	}

	static LockKey keyOf(String name) {
		return LockKey.of(name);
	}

	/** A thread that holds the first lock and has not begun to wait for the second. */
	Caller caller(String name, LockEngine engine, LockRequest first, LockRequest second) throws Exception {
		Caller caller = new Caller(engine, first, second);
		caller.outcome = onThread(() -> caller.run(name));
		if (!caller.holdsFirst.await(10, TimeUnit.SECONDS)) {
			throw new IllegalStateException(name + " has not got its first lock");
		}
		return caller;
	}

	static final class Caller {

		private final CountDownLatch holdsFirst = new CountDownLatch(1);

		private final CountDownLatch goOn = new CountDownLatch(1);

		private final LockEngine engine;

		private final LockRequest first;

		private final LockRequest second;

		private Future<LockException> outcome;

		/** What the first lease said when the second acquire had failed. */
		volatile boolean keptFirst;

		Caller(LockEngine engine, LockRequest first, LockRequest second) {
			this.engine = engine;
			this.first = first;
			this.second = second;
		}

		private LockException run(String name) throws Exception {
			Thread.currentThread().setName(name);
			try (Lease outer = this.engine.acquire(this.first)) {
				this.holdsFirst.countDown();
				this.goOn.await();
				try {
					this.engine.acquire(this.second).release();
					return null;
				}
				catch (LockException ex) {
					this.keptFirst = outer.isHeld() && LockContext.leases().contains(outer);
					return ex;
				}
			}
		}

		/** Begins to wait for the second lock, and returns when it is seen to wait. */
		void waits() {
			int before = waiters(this.engine);
			this.goOn.countDown();
			eventually().until(() -> this.outcome.isDone() || waiters(this.engine) > before);
		}

		/** Returns what the second acquire threw, null if it got the lock. */
		LockException outcome() throws Exception {
			return this.outcome.get(20, TimeUnit.SECONDS);
		}

		boolean isDone() {
			return this.outcome.isDone();
		}

		DeadlockDetectedException deadlock() throws Exception {
			return (DeadlockDetectedException) outcome();
		}

	}

}
