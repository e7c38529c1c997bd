package io.distributedlock.engine;

import java.time.Duration;
import java.util.concurrent.locks.ReentrantLock;

import io.distributedlock.AdaptiveTtl;
import io.distributedlock.LockInspector.ObservedHoldTime;

/**
 * The ttl of one lock name, from its hold times.
 * <p>
 * Holds that ended in time are what mostly counts. A hold whose lease has expired is
 * worth more than all of them, since it says that the ttl was too short: until its work
 * ends, the ttl is at least twice what was not enough, and then its real length is given
 * such a weight that the quantile is no less.
 * <p>
 * Written under a mutex by who has given a lock back; the ttl itself is read without.
 */
final class ObservedTtl {

	/** With fewer holds, the configured ttl counts. */
	static final int ENOUGH = 100;

	static final double QUANTILE = 0.999;

	private final AdaptiveTtl settings;

	private final ReentrantLock mutex = new ReentrantLock();

	private final HoldTimes times = new HoldTimes();

	/** Zero while nothing is known that the configured ttl does not cover. */
	private volatile long ttl;

	private volatile long holds;

	private volatile long quantile;

	// Guarded by the mutex from here on.

	/**
	 * Holds whose lease has expired and whose work goes on; below zero if the end came
	 * first.
	 */
	private int outliving;

	/** What their leases needed at least. */
	private long raised;

	ObservedTtl(AdaptiveTtl settings) {
		this.settings = settings;
	}

	/**
	 * Returns the ttl for a new lease.
	 * @param configured what it is to be as long as too little is known
	 */
	Duration ttl(Duration configured) {
		long observed = this.ttl;
		Duration least = (this.holds >= ENOUGH && observed > 0) ? this.settings.min() : configured;
		return within(max(Duration.ofNanos(observed), least));
	}

	/** A lock was given back in time. */
	void released(long heldFor) {
		this.mutex.lock();
		try {
			this.times.add(heldFor);
			this.holds++;
			compute();
		}
		finally {
			this.mutex.unlock();
		}
	}

	/** A lease has expired while its work goes on. */
	void expired(long itsTtl) {
		this.mutex.lock();
		try {
			if (++this.outliving > 0) {
				this.raised = Math.max(this.raised, 2 * itsTtl);
			}
			compute();
		}
		finally {
			this.mutex.unlock();
		}
	}

	/** The work has ended whose lease had expired before. */
	void endedLate(long heldFor) {
		this.mutex.lock();
		try {
			if (--this.outliving <= 0) {
				this.raised = 0;
			}
			this.times.addTelling(heldFor, QUANTILE);
			this.holds++;
			compute(heldFor);
		}
		finally {
			this.mutex.unlock();
		}
	}

	private void compute() {
		compute(0);
	}

	/**
	 * Before there are enough holds, only those count that say that the ttl is too short.
	 */
	private void compute(long telling) {
		this.quantile = this.times.quantile(QUANTILE);
		long known = (this.holds >= ENOUGH) ? this.quantile : telling;
		long wanted = Math.max((long) Math.ceil(known * this.settings.margin()), this.raised);
		this.ttl = (this.holds >= ENOUGH) ? wanted : Math.max(wanted, this.ttl);
	}

	private Duration within(Duration wanted) {
		Duration least = max(wanted, this.settings.min());
		return (least.compareTo(this.settings.max()) > 0) ? this.settings.max() : least;
	}

	private static Duration max(Duration one, Duration other) {
		return (one.compareTo(other) >= 0) ? one : other;
	}

	ObservedHoldTime show(String name) {
		boolean enough = this.holds >= ENOUGH;
		return new ObservedHoldTime(name, this.holds, Duration.ofNanos(this.quantile),
				(enough || this.ttl > 0) ? within(Duration.ofNanos(this.ttl)) : null);
	}

}
