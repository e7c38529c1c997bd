package io.distributedlock.store.zookeeper;

/**
 * What a lock protects, as it should be: it takes no write with a token below one that it
 * has seen.
 */
final class FencedTable {

	private long highest;

	private int writes;

	private int refused;

	/**
	 * Writes.
	 * @return false if the token is stale
	 */
	synchronized boolean write(long token) {
		if (token < this.highest) {
			this.refused++;
			return false;
		}
		this.highest = token;
		this.writes++;
		return true;
	}

	synchronized int writes() {
		return this.writes;
	}

	synchronized int refused() {
		return this.refused;
	}

}
