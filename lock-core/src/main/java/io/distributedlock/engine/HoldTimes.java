package io.distributedlock.engine;

/**
 * How long the locks of one name were held lately, as a histogram whose buckets grow by
 * an eighth of a doubling: a quantile is at most 9 % too high and never too low. Memory
 * is bounded, 200 numbers.
 * <p>
 * When there are {@value #MEMORY} observations, all weights are halved. So a hold counts
 * half as much after half as many others, and the quantile follows what the code does
 * now, however often it does it.
 * <p>
 * Not safe for use by many threads.
 */
final class HoldTimes {

	/** The total weight at which everything is halved. */
	static final int MEMORY = 2048;

	private static final int BUCKETS = 200;

	private static final double PER_DOUBLING = 8;

	/** Upper bound of the first bucket, in nanoseconds. */
	private static final double FIRST = 1_000_000;

	private final double[] weights = new double[BUCKETS];

	private double total;

	/**
	 * Adds a hold.
	 * @param nanos how long it was
	 */
	void add(long nanos) {
		add(nanos, 1);
	}

	/**
	 * Adds a hold that a quantile must not pass over as one of the rare ones.
	 * @param nanos how long it was
	 * @param quantile the quantile, which is at least this long from now on, until half
	 * of the memory is new
	 */
	void addTelling(long nanos, double quantile) {
		add(nanos, 2 * (1 - quantile) * this.total + 1);
	}

	private void add(long nanos, double weight) {
		this.weights[bucket(nanos)] += weight;
		this.total += weight;
		if (this.total >= MEMORY) {
			this.total = 0;
			for (int i = 0; i < BUCKETS; i++) {
				this.weights[i] /= 2;
				this.total += this.weights[i];
			}
		}
	}

	/**
	 * Returns the time that a part of the holds did not exceed, zero if there are none.
	 * @param quantile the part, from 0 to 1
	 */
	long quantile(double quantile) {
		double above = (1 - quantile) * this.total;
		double seen = 0;
		for (int i = BUCKETS - 1; i >= 0; i--) {
			seen += this.weights[i];
			if (seen > above) {
				return (long) (FIRST * Math.pow(2, i / PER_DOUBLING));
			}
		}
		return 0;
	}

	private static int bucket(long nanos) {
		if (nanos <= FIRST) {
			return 0;
		}
		double doublings = Math.log(nanos / FIRST) / Math.log(2);
		return (int) Math.min(BUCKETS - 1, Math.ceil(doublings * PER_DOUBLING));
	}

}
