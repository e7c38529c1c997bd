package io.distributedlock.store.redis;

import java.time.Duration;

import io.distributedlock.spi.StoreException;

/**
 * How many replicas must have a grant before it counts (rule R9).
 *
 * @param replicas how many, 0 for none, or {@link #ALL}
 * @param timeout how long they may take to say so
 */
record ReplicaRule(int replicas, Duration timeout) {

	/** No replica is waited for. */
	static final ReplicaRule NONE = new ReplicaRule(0, Duration.ZERO);

	/** All replicas that are known; how many that is, {@code replicas.lua} says. */
	static final int ALL = -1;

	/**
	 * Tells whether any replica is waited for.
	 */
	boolean isOn() {
		return this.replicas != 0;
	}

	boolean all() {
		return this.replicas == ALL;
	}

	/**
	 * Makes the exception for a grant that too few replicas have.
	 * @param acknowledged how many have it
	 * @param demanded how many have to
	 * @param key where the number of known replicas is kept
	 * @param address names the server
	 */
	StoreException tooFew(int acknowledged, int demanded, String key, String address) {
		String demand = all()
				? "All replicas that were online before have to be there, and at least one"
						+ " (distributed-lock.redis.wait-replicas=all). If one is gone for good, SET the key " + key
						+ " to 0 on the primary; if this Redis is to have none, leave wait-replicas out."
				: "distributed-lock.redis.wait-replicas=" + demanded + " demands so many.";
		return new StoreException("Only " + acknowledged + " of " + demanded
				+ " replicas of Redis have acknowledged the grant within " + this.timeout.toMillis()
				+ " ms, so it does not count. INFO replication on the primary shows which are missing or lag behind. "
				+ demand + " [server " + address + "]", true, true, null);
	}

}
