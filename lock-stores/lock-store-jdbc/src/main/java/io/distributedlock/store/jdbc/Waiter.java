package io.distributedlock.store.jdbc;

/**
 * The place of one JVM in the queue of one lock.
 */
final class Waiter {

	private final String instance;

	private final long since;

	private final boolean stored;

	private String attempt;

	private long expiresAt;

	private boolean changed;

	/**
	 * Makes the entry.
	 * @param instance the JVM that waits
	 * @param attempt what the lock would be granted to
	 * @param since when the JVM began to wait, which is also its place
	 * @param expiresAt when it is taken for dead, unless it asks again
	 * @param stored whether it was read from the database
	 */
	Waiter(String instance, String attempt, long since, long expiresAt, boolean stored) {
		this.instance = instance;
		this.attempt = attempt;
		this.since = since;
		this.expiresAt = expiresAt;
		this.stored = stored;
	}

	String instance() {
		return this.instance;
	}

	String attempt() {
		return this.attempt;
	}

	long since() {
		return this.since;
	}

	long expiresAt() {
		return this.expiresAt;
	}

	boolean isAlive(long now) {
		return now < this.expiresAt;
	}

	void refresh(String attempt, long expiresAt) {
		this.attempt = attempt;
		this.expiresAt = expiresAt;
		this.changed = true;
	}

	/** Whether the database has an entry of this JVM, older or the same. */
	boolean isStored() {
		return this.stored;
	}

	boolean isChanged() {
		return this.changed;
	}

}
