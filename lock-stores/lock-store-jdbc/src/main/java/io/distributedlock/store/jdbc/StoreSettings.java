package io.distributedlock.store.jdbc;

import java.time.Duration;

/**
 * Settings of a store, checked.
 *
 * @param name name under which the store is shown
 * @param instanceId name of this JVM in the database
 * @param reservation how long a released lock is kept for a waiter
 * @param queueEntryTtl how long a waiter lives that does not ask again
 * @param commandTimeout limit of what brings none of its own
 * @param parallelism how many connections are used at once
 * @param cleanUpAfter age at which rows of free locks are removed
 */
record StoreSettings(String name, String instanceId, Duration reservation, Duration queueEntryTtl,
		Duration commandTimeout, int parallelism, Duration cleanUpAfter) {

	Rules rules(boolean subscribed) {
		return new Rules(this.instanceId, micros(this.reservation), micros(this.queueEntryTtl), subscribed);
	}

	static long micros(Duration duration) {
		return duration.toNanos() / 1000;
	}

}
