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

	private static final long FORGET = Duration.ofMinutes(10).toNanos();

	private final Map<String, Seen> seen = new ConcurrentHashMap<>();

	/**
	 * Notes that something is there.
	 * @param what what it is
	 * @param version tells it from what it was before
	 * @return true if it has been seen for the given time or longer in this version
	 */
	boolean seenFor(String what, String version, Duration time) {
		long now = System.nanoTime();
		Seen known = this.seen.compute(what,
				(key, old) -> (old != null && old.version.equals(version)) ? old : new Seen(version, now));
		known.latest = now;
		return now - known.first >= time.toNanos();
	}

	/** Forgets what has not been met for a while. */
	void sweep() {
		long now = System.nanoTime();
		this.seen.values().removeIf((one) -> now - one.latest > FORGET);
	}

	private static final class Seen {

		private final String version;

		private final long first;

		private volatile long latest;

		private Seen(String version, long first) {
			this.version = version;
			this.first = first;
			this.latest = first;
		}

	}

}
