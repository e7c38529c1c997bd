package io.distributedlock.store.etcd;

import java.time.Duration;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Reservations for other JVMs, and since when this JVM has seen them. One that did not
 * change while the time of a reservation passed on this JVM's own monotonic clock may be
 * taken away: no clocks of two hosts are ever compared.
 */
final class Reservations {

	private static final int MANY = 4096;

	private final long time;

	private final ConcurrentHashMap<String, Seen> seen = new ConcurrentHashMap<>();

	Reservations(Duration time) {
		this.time = time.toNanos();
	}

	/**
	 * Notes a reservation that an answer has shown.
	 * @return how long it lasts from now, zero or less if it may be taken away
	 */
	long left(String keyId, long revision) {
		long now = System.nanoTime();
		if (this.seen.size() > MANY) {
			this.seen.values().removeIf((old) -> now - old.at > 2 * this.time);
		}
		Seen first = this.seen.compute(keyId,
				(id, before) -> (before != null && before.revision == revision) ? before : new Seen(revision, now));
		return first.at + this.time - now;
	}

	void forget(String keyId) {
		if (!this.seen.isEmpty()) {
			this.seen.remove(keyId);
		}
	}

	private record Seen(long revision, long at) {
	}

}
