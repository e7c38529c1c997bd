package io.distributedlock.benchmarks.worker;

import java.util.Arrays;

/**
 * Zipf's distribution: the n-th of some keys is chosen with a probability that goes with
 * 1/n^s.
 */
final class Zipf {

	static final int KEYS = 1000;

	static final Zipf THOUSAND = new Zipf(KEYS, 1.0);

	private final double[] cumulative;

	Zipf(int keys, double s) {
		this.cumulative = new double[keys];
		double sum = 0;
		for (int i = 0; i < keys; i++) {
			sum += 1 / Math.pow(i + 1, s);
			this.cumulative[i] = sum;
		}
		for (int i = 0; i < keys; i++) {
			this.cumulative[i] /= sum;
		}
		this.cumulative[keys - 1] = 1;
	}

	/**
	 * Chooses a key.
	 * @param uniform a random number from 0 to below 1
	 * @return the number of the key, from 0
	 */
	int pick(double uniform) {
		int found = Arrays.binarySearch(this.cumulative, uniform);
		// Equal to a bound means beyond it.
		return (found >= 0) ? found + 1 : -found - 1;
	}

}
