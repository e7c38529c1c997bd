package io.distributedlock.benchmarks.report;

import java.util.Arrays;
import java.util.Locale;

/**
 * What several rounds gave.
 *
 * @param min the smallest figure
 * @param median the one in the middle, or the mean of the two there
 * @param max the largest figure
 */
public record Spread(double min, double median, double max) {

	/**
	 * Summarises figures.
	 * @param values one for each round, at least one
	 * @return the spread
	 */
	public static Spread of(double... values) {
		if (values.length == 0) {
			throw new IllegalArgumentException("There are no values.");
		}
		double[] sorted = values.clone();
		Arrays.sort(sorted);
		int half = sorted.length / 2;
		double median = (sorted.length % 2 == 1) ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
		return new Spread(sorted[0], median, sorted[sorted.length - 1]);
	}

	/**
	 * Formats a figure with about three digits.
	 * @param value the figure
	 * @return the text
	 */
	public static String format(double value) {
		if (Double.isNaN(value)) {
			return "-";
		}
		double size = Math.abs(value);
		if (size >= 100) {
			return String.format(Locale.ROOT, "%,.0f", value);
		}
		if (size >= 10) {
			return String.format(Locale.ROOT, "%.1f", value);
		}
		if (size >= 1 || size == 0) {
			return String.format(Locale.ROOT, "%.2f", value);
		}
		return String.format(Locale.ROOT, "%.3f", value);
	}

}
