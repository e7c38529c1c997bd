package io.distributedlock.benchmarks.jmh;

import io.distributedlock.spring.DistributedLock;

/**
 * The bean whose methods are measured. All do the same next to nothing.
 */
class Shop {

	private long sold;

	@DistributedLock(name = "stock", key = "#productId", ttl = "10s")
	long buyLocked(String productId) {
		return sell(productId);
	}

	@DoNothing
	long buyProxied(String productId) {
		return sell(productId);
	}

	long buy(String productId) {
		return sell(productId);
	}

	final long sell(String productId) {
		return this.sold += productId.length();
	}

}
