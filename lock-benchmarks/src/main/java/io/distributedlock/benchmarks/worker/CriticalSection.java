package io.distributedlock.benchmarks.worker;

import java.time.Duration;
import java.util.concurrent.locks.LockSupport;

/**
 * What is done under the lock: nothing but take some time.
 */
final class CriticalSection {

	// Below this a parked thread would oversleep too much.
	private static final long LONGEST_SPIN = Duration.ofMillis(1).toNanos();

	private final long nanos;

	CriticalSection(long nanos) {
		this.nanos = nanos;
	}

	void run() {
		if (this.nanos == 0) {
			return;
		}
		long end = System.nanoTime() + this.nanos;
		long left = this.nanos;
		while (left > 0) {
			if (this.nanos <= LONGEST_SPIN) {
				Thread.onSpinWait();
			}
			else {
				LockSupport.parkNanos(left);
			}
			left = end - System.nanoTime();
		}
	}

}
