package io.distributedlock.test;

import java.time.Instant;
import java.time.InstantSource;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Gives out blocks of fencing tokens that rise over all keys of a server. A block begins
 * at the wall clock's microseconds, so that tokens also rise over a restart, or behind
 * the last block if the clock lags.
 */
final class TokenSource {

	static final int MAX_BLOCK = 1024;

	// So far ahead of the clock, blocks shrink to one token: otherwise a clock that was
	// set back would let the mark run ahead ever further.
	private static final long MAX_LEAD = TimeUnit.SECONDS.toMicros(1);

	private final InstantSource wallClock;

	private final AtomicLong mark = new AtomicLong();

	TokenSource(InstantSource wallClock) {
		this.wallClock = wallClock;
	}

	Block next(int wanted) {
		long micros = micros(this.wallClock.instant());
		while (true) {
			long mark = this.mark.get();
			long first = Math.max(mark + 1, micros);
			int size = (first - micros > MAX_LEAD) ? 1 : Math.max(1, Math.min(wanted, MAX_BLOCK));
			if (this.mark.compareAndSet(mark, first + size - 1)) {
				return new Block(first, size);
			}
		}
	}

	/**
	 * Returns a token for readers: no lower than any that was given out, and lower than
	 * all that will be.
	 */
	long latest() {
		return Math.max(1, this.mark.get());
	}

	private static long micros(Instant instant) {
		return TimeUnit.SECONDS.toMicros(instant.getEpochSecond()) + TimeUnit.NANOSECONDS.toMicros(instant.getNano());
	}

	/**
	 * Consecutive tokens.
	 *
	 * @param first the lowest
	 * @param size how many, one or more
	 */
	record Block(long first, int size) {

		long last() {
			return this.first + this.size - 1;
		}

	}

}
