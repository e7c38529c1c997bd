package io.distributedlock.store.etcd;

import java.time.Duration;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Reservations for other JVMs and coolings, and since when this JVM has seen them. One
 * that did not change while its time passed on this JVM's own monotonic clock may be
 * taken away, if who should do that does not: no clocks of two hosts are ever compared.
 */
final class Reservations {

	private static final int MANY = 4096;

	private final ConcurrentHashMap<String, Seen> seen = new ConcurrentHashMap<>();

	/**
	 * Notes a reservation or a cooling that an answer has shown.
	 * @param time how long it lasts, by its record
	 * @return how long it lasts from now, zero or less if it may be taken away
	 */
	long left(String keyId, long revision, Duration time) {
		long now = System.nanoTime();
		if (this.seen.size() > MANY) {
			this.seen.values().removeIf((old) -> now - old.at > 2 * old.time);
		}
		Seen first = this.seen.compute(keyId, (id, before) -> (before != null && before.revision == revision) ? before
				: new Seen(revision, now, time.toNanos()));
		return first.at + first.time - now;
	}

	void forget(String keyId) {
		if (!this.seen.isEmpty()) {
			this.seen.remove(keyId);
		}
	}

	private record Seen(long revision, long at, long time) {
	}

}
