package io.distributedlock.benchmarks.worker;

import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.zip.DataFormatException;

import org.HdrHistogram.Histogram;

/**
 * What one worker JVM found.
 *
 * @param seconds length of the measured time
 * @param cycles cycles of each thread that ended in the measured time, or tries
 * @param latencies how long {@code lock()} took, in nanoseconds: an encoded histogram
 * @param cpuNanos processor time of the JVM in the measured time
 * @param allocatedBytes bytes that its threads allocated in the measured time
 * @param violations how often two threads were inside of one lock, warm-up included
 * @param errors what went wrong, empty if all is well
 */
public record WorkerResult(double seconds, long[] cycles, String latencies, long cpuNanos, long allocatedBytes,
		long violations, List<String> errors) {

	private static final long LONGEST = 600_000_000_000L;

	/** Returns a histogram for times up to ten minutes, precise to one in a hundred. */
	static Histogram histogram() {
		return new Histogram(100, LONGEST, 2);
	}

	static void record(Histogram histogram, long nanos) {
		histogram.recordValue(Math.min(Math.max(nanos, 0), LONGEST));
	}

	static String encode(Histogram histogram) {
		ByteBuffer buffer = ByteBuffer.allocate(histogram.getNeededByteBufferCapacity());
		int length = histogram.encodeIntoCompressedByteBuffer(buffer);
		return Base64.getEncoder().encodeToString(Arrays.copyOf(buffer.array(), length));
	}

	/**
	 * Adds the latencies of several workers.
	 * @param results what the workers found
	 * @return the histogram of all of them, in nanoseconds
	 */
	public static Histogram latencies(List<WorkerResult> results) {
		Histogram sum = histogram();
		for (WorkerResult result : results) {
			byte[] bytes = Base64.getDecoder().decode(result.latencies);
			try {
				sum.add(Histogram.decodeFromCompressedByteBuffer(ByteBuffer.wrap(bytes), LONGEST));
			}
			catch (DataFormatException ex) {
				throw new IllegalStateException("A worker sent an unreadable histogram", ex);
			}
		}
		return sum;
	}

	/**
	 * Returns the cycles of all threads.
	 * @return the sum
	 */
	public long total() {
		return Arrays.stream(this.cycles).sum();
	}

}
