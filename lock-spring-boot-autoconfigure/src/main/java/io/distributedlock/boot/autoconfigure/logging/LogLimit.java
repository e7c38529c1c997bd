package io.distributedlock.boot.autoconfigure.logging;

import java.time.Duration;
import java.util.concurrent.locks.ReentrantLock;

import io.distributedlock.spi.Ticker;

/**
 * Lets a number of messages pass in each period, and counts the others.
 */
final class LogLimit {

	private final int burst;

	private final long period;

	private final Ticker ticker;

	private final ReentrantLock mutex = new ReentrantLock();

	private long start;

	private int passed;

	private long skipped;

	LogLimit(int burst, Duration period, Ticker ticker) {
		this.burst = burst;
		this.period = period.toNanos();
		this.ticker = ticker;
		this.start = ticker.nanoTime();
	}

	/**
	 * Asks whether a message may be logged.
	 * @return how many messages were held back since the last one that passed; -1 if this
	 * one is held back too
	 */
	long tryPass() {
		this.mutex.lock();
		try {
			long now = this.ticker.nanoTime();
			if (now - this.start >= this.period) {
				this.start = now;
				this.passed = 0;
			}
			if (this.passed == this.burst) {
				this.skipped++;
				return -1;
			}
			this.passed++;
			long before = this.skipped;
			this.skipped = 0;
			return before;
		}
		finally {
			this.mutex.unlock();
		}
	}

}
