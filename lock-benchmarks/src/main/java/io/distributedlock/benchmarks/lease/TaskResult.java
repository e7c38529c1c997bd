package io.distributedlock.benchmarks.lease;

import java.util.List;
import java.util.Map;

import org.HdrHistogram.Histogram;

/**
 * What a worker found. What does not apply is zero.
 *
 * @param count how often it happened
 * @param seconds how long all of it took
 * @param p50Micros median of the times
 * @param p99Micros their 99th percentile
 * @param maxMicros their maximum
 * @param violations how often the lock was not exclusive
 * @param errors what went wrong, not more than a few
 * @param more figures that only this task has
 */
public record TaskResult(long count, double seconds, double p50Micros, double p99Micros, double maxMicros,
		long violations, List<String> errors, Map<String, Double> more) {

	private static final int MAX_ERRORS = 5;

	/**
	 * Makes the record with a few of the errors.
	 */
	public TaskResult {
		errors = List.copyOf(errors.subList(0, Math.min(MAX_ERRORS, errors.size())));
	}

	static TaskResult of(Histogram times, double seconds, long violations, List<String> errors,
			Map<String, Double> more) {
		return new TaskResult(times.getTotalCount(), seconds, times.getValueAtPercentile(50) / 1e3,
				times.getValueAtPercentile(99) / 1e3, times.getMaxValue() / 1e3, violations, errors, more);
	}

}
