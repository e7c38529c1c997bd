package io.distributedlock.store.redis;

import java.util.concurrent.atomic.AtomicReference;

import org.jspecify.annotations.Nullable;

/**
 * Knows what a server's clock shows, so that an acquire can carry the server time after
 * which it must not be executed any more.
 * <p>
 * A server time in an answer was read between sending and receiving. Counted from the
 * moment of receiving, it gives an offset that is never too large, and so a limit that
 * never lies after the client's own deadline. The largest of the recent ones is the best.
 */
final class ServerClock {

	/** Clocks may differ in rate; an old estimate is trusted this much less. */
	private static final long DRIFT_PER_MILLION = 500;

	private final AtomicReference<@Nullable Estimate> estimate = new AtomicReference<>();

	/**
	 * Returns the server time of a moment.
	 * @param nanoTime the moment
	 * @return microseconds, not after the true one; 0 if nothing is known
	 */
	long at(long nanoTime) {
		Estimate known = this.estimate.get();
		return (known != null) ? Math.max(0, nanoTime / 1000 + known.offset(nanoTime)) : 0;
	}

	/**
	 * Takes a server time from an answer.
	 * @param serverMicros what the server's clock showed
	 * @param sent when the question was sent
	 * @param received when the answer came
	 */
	void observe(long serverMicros, long sent, long received) {
		Estimate known = this.estimate.get();
		long lowest = serverMicros - received / 1000;
		long highest = serverMicros - sent / 1000 + 1;
		long old = (known != null) ? known.offset(received) : Long.MIN_VALUE;
		// Above the highest possible: the server's clock was set back.
		long best = (known != null && old > lowest && old <= highest) ? old : lowest;
		this.estimate.compareAndSet(known, new Estimate(best, received));
	}

	/**
	 * Takes a server time that shows the estimate to be wrong.
	 * @param serverMicros what the server's clock showed
	 * @param received when the answer came
	 */
	void reset(long serverMicros, long received) {
		this.estimate.set(new Estimate(serverMicros - received / 1000, received));
	}

	private record Estimate(long offset, long madeAt) {

		long offset(long nanoTime) {
			return this.offset - Math.abs(nanoTime - this.madeAt) / 1000 * DRIFT_PER_MILLION / 1_000_000;
		}

	}

}
