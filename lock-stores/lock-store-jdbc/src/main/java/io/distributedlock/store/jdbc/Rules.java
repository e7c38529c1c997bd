package io.distributedlock.store.jdbc;

/**
 * What holds for all rows of one transaction.
 *
 * @param instance the JVM that asks
 * @param reservation how long a lock is kept for a waiter, in microseconds
 * @param queueEntryTtl how long a waiter lives that does not ask again, in microseconds
 * @param subscribed whether this JVM can be told of a reservation
 */
record Rules(String instance, long reservation, long queueEntryTtl, boolean subscribed) {

	static final Rules NONE = new Rules("", 0, 0, false);

}
