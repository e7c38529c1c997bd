package io.distributedlock.engine;

import java.util.concurrent.ThreadLocalRandom;

import io.distributedlock.spi.Ticker;

/**
 * Monotonic time since the engine was made, so that readings are small positive numbers
 * that can be compared directly.
 */
final class Clock {

	/** How often a clock that is moved by hand has to be looked at. */
	private static final long MANUAL_PARK = 10_000_000;

	private final Ticker ticker;

	private final long origin;

	private final boolean manual;

	Clock(Ticker ticker) {
		this.ticker = ticker;
		this.origin = ticker.nanoTime();
		this.manual = ticker != Ticker.SYSTEM;
	}

	long now() {
		return this.ticker.nanoTime() - this.origin;
	}

	/**
	 * Returns how long a thread may sleep that wants to wake after the given time.
	 */
	long park(long nanos) {
		return this.manual ? Math.min(nanos, MANUAL_PARK) : nanos;
	}

	/**
	 * Returns a moment far enough for every wait, near enough for arithmetic.
	 */
	static long plus(long moment, long nanos) {
		long sum = moment + nanos;
		return (sum < moment) ? Long.MAX_VALUE : sum;
	}

	/**
	 * Shortens an interval by up to a quarter, so that JVMs do not ask in step.
	 */
	static long jitter(long nanos) {
		return nanos - ThreadLocalRandom.current().nextLong(nanos / 4 + 1);
	}

}
