package io.distributedlock.store.zookeeper;

import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Since when this JVM has seen something unchanged, by its own monotonic clock. Clocks of
 * two hosts are never compared: what is to last for a time has lasted for it at the
 * latest when somebody has seen it for so long.
 */
final class Observations {

	private static final long FORGET = Duration.ofSeconds(60).toNanos();

	private final Map<String, Seen> seen = new ConcurrentHashMap<>();

	/**
	 * Notes that something is there.
	 * @return true if it has been seen for the given time or longer
	 */
	boolean seenFor(String what, Duration time) {
		long now = System.nanoTime();
		Seen known = this.seen.computeIfAbsent(what, (key) -> new Seen(now));
		known.latest = now;
		return now - known.first >= time.toNanos();
	}

	/** Forgets what has not been met for a while. */
	void sweep() {
		long now = System.nanoTime();
		this.seen.values().removeIf((one) -> now - one.latest > FORGET);
	}

	private static final class Seen {

		private final long first;

		private volatile long latest;

		private Seen(long first) {
			this.first = first;
		}

	}

}
