package io.distributedlock.sample.load;

import java.util.Map;

import io.distributedlock.sample.shop.Product;
import org.jspecify.annotations.Nullable;

/**
 * How a load run stands, as HTTP shows it.
 *
 * @param id number of the run on this instance
 * @param state whether it still runs
 * @param request what it does
 * @param done requests answered so far
 * @param outcomes how many of them ended how
 * @param failure what the first failed request said, or null
 * @param product the product as the database has it, or null if it cannot be read
 * @param elapsedMillis time since the first request
 * @param perSecond answers per second
 * @param latencyMillis percentiles of the time to an answer
 */
record RunView(String id, State state, RunRequest request, int done, Map<Outcome, Integer> outcomes,
		@Nullable String failure, @Nullable Product product, long elapsedMillis, double perSecond,
		Percentiles latencyMillis) {

	/**
	 * Whether a run still runs.
	 */
	enum State {

		/** Requests are being sent. */
		RUNNING,

		/** All requests are answered. */
		DONE,

		/** It was stopped before its end. */
		CANCELLED,

		/** It could not be carried out. */
		FAILED

	}

	/**
	 * Percentiles in milliseconds, zero without an answer.
	 *
	 * @param p50 median
	 * @param p90 nine of ten were faster
	 * @param p99 99 of 100 were faster
	 * @param max the slowest
	 */
	record Percentiles(double p50, double p90, double p99, double max) {

		/**
		 * Computes percentiles.
		 * @param sorted times in nanoseconds, ascending
		 * @return the percentiles
		 */
		static Percentiles of(long[] sorted) {
			return new Percentiles(at(sorted, 0.50), at(sorted, 0.90), at(sorted, 0.99), at(sorted, 1));
		}

		private static double at(long[] sorted, double quantile) {
			if (sorted.length == 0) {
				return 0;
			}
			int index = (int) Math.ceil(quantile * sorted.length) - 1;
			return Math.round(sorted[Math.max(0, index)] / 10_000.0) / 100.0;
		}

	}

}
