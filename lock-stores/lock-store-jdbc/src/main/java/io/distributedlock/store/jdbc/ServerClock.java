package io.distributedlock.store.jdbc;

import java.util.concurrent.atomic.AtomicReference;

import org.jspecify.annotations.Nullable;

/**
 * Knows what the database's clock shows, so that a statement can carry the database time
 * after which it must not take effect any more. Only differences of this JVM's monotonic
 * clock are used; what its wall clock shows does not matter.
 * <p>
 * A time in an answer was read between sending and receiving. Counted from receiving, it
 * gives an offset that is never too large, and so a limit that never lies after the
 * client's own deadline. The largest of the recent offsets is the best one.
 */
final class ServerClock {

	/** Clocks may differ in rate; an old estimate is trusted this much less. */
	private static final long DRIFT_PER_MILLION = 500;

	private final AtomicReference<@Nullable Estimate> estimate = new AtomicReference<>();

	/**
	 * Returns the database time of a moment.
	 * @param nanoTime the moment
	 * @return microseconds, not after the true one; 0 if nothing is known
	 */
	long at(long nanoTime) {
		Estimate known = this.estimate.get();
		return (known != null) ? Math.max(0, nanoTime / 1000 + known.offset(nanoTime)) : 0;
	}

	/**
	 * Takes a time from an answer.
	 * @param micros what the database's clock showed
	 * @param sent when the question was sent
	 * @param received when the answer came
	 */
	void observe(long micros, long sent, long received) {
		Estimate known = this.estimate.get();
		long lowest = micros - received / 1000;
		long highest = micros - sent / 1000 + 1;
		long old = (known != null) ? known.offset(received) : Long.MIN_VALUE;
		// Above the highest possible: the clock was set back, or another server took
		// over.
		long best = (known != null && old > lowest && old <= highest) ? old : lowest;
		this.estimate.compareAndSet(known, new Estimate(best, received));
	}

	private record Estimate(long offset, long madeAt) {

		long offset(long nanoTime) {
			return this.offset - Math.abs(nanoTime - this.madeAt) / 1000 * DRIFT_PER_MILLION / 1_000_000;
		}

	}

}
