package io.distributedlock.benchmarks.report;

/**
 * Jain's index of fairness.
 */
public final class Fairness {

	private Fairness() {
	}

	/**
	 * Returns the square of the sum over n times the sum of the squares: 1 if all got the
	 * same, 1/n if one got all.
	 * @param shares what each one got
	 * @return the index, or NaN if nobody got anything
	 */
	public static double jain(long... shares) {
		double sum = 0;
		double squares = 0;
		for (long share : shares) {
			sum += share;
			squares += (double) share * share;
		}
		return sum * sum / (shares.length * squares);
	}

}
