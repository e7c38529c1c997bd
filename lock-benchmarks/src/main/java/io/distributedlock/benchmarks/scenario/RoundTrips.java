package io.distributedlock.benchmarks.scenario;

import java.time.Duration;
import java.util.concurrent.locks.LockSupport;

import io.distributedlock.benchmarks.server.BenchServer;
import org.HdrHistogram.Histogram;

/**
 * Measures what the way to the server and back takes while others work.
 */
final class RoundTrips {

	private static final long INTERVAL = Duration.ofMillis(20).toNanos();

	private RoundTrips() {
	}

	/** Measures for a while; returns the median in microseconds. */
	static double medianMicros(BenchServer server, Duration time) {
		Histogram pings = new Histogram(2);
		long next = System.nanoTime();
		long end = next + time.toNanos();
		while (next < end) {
			pings.recordValue(server.ping());
			next += INTERVAL;
			long early = next - System.nanoTime();
			if (early > 0) {
				LockSupport.parkNanos(early);
			}
		}
		return pings.getValueAtPercentile(50) / 1e3;
	}

}
