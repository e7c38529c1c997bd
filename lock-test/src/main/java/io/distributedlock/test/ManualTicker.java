package io.distributedlock.test;

import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.concurrent.atomic.AtomicLong;

import io.distributedlock.spi.Ticker;

/**
 * A clock that stands still until it is moved. Safe for use by many threads.
 */
public final class ManualTicker implements Ticker {

	// Close to the overflow on purpose: code that compares readings with < instead of by
	// their difference fails in its tests, not after 292 years.
	private static final long START = Long.MAX_VALUE - Duration.ofSeconds(5).toNanos();

	private final AtomicLong now = new AtomicLong(START);

	/**
	 * Makes a clock that stands still.
	 */
	public ManualTicker() {
	}

	@Override
	public long nanoTime() {
		return this.now.get();
	}

	/**
	 * Moves the clock forward.
	 * @param time how far; not negative
	 * @throws IllegalArgumentException if the time is negative
	 */
	public void advance(Duration time) {
		if (time.isNegative()) {
			throw new IllegalArgumentException("A monotonic clock does not go back (" + time + ")");
		}
		this.now.addAndGet(time.toNanos());
	}

	/**
	 * Returns a wall clock that moves with this one.
	 * @param start what it shows when this clock has not been moved yet
	 * @return the wall clock
	 */
	public InstantSource wallClock(Instant start) {
		return () -> start.plusNanos(this.now.get() - START);
	}

}
