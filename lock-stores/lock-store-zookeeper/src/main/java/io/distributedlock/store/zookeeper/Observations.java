package io.distributedlock.store.zookeeper;

import java.time.Duration;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Since when this JVM has seen something unchanged, by its own monotonic clock. Clocks of
 * two hosts are never compared: what is to last for a time has lasted for it at the
 * latest when somebody has seen it for so long.
 */
final class Observations {

	private static final long FORGET = Duration.ofMinutes(10).toNanos();

	private final Map<String, Seen> seen = new ConcurrentHashMap<>();

	private final Map<String, Passing> passing = new ConcurrentHashMap<>();

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

	/**
	 * Notes what a key has that lasts for a time, and forgets what it had before.
	 * @param keyId which key
	 * @param passing for each such thing its stamp, and how long it lasts
	 * @return stamps of those that have been seen for their time or longer
	 */
	Set<String> over(String keyId, Map<String, Duration> passing) {
		if (passing.isEmpty()) {
			this.passing.remove(keyId);
			return Set.of();
		}
		long now = System.nanoTime();
		Passing known = this.passing.compute(keyId, (key, old) -> {
			Map<String, Long> since = new HashMap<>();
			passing.keySet()
				.forEach((stamp) -> since.put(stamp, (old != null) ? old.since.getOrDefault(stamp, now) : now));
			return new Passing(since, now);
		});
		Set<String> over = new HashSet<>();
		passing.forEach((stamp, time) -> {
			if (now - known.since.getOrDefault(stamp, now) >= time.toNanos()) {
				over.add(stamp);
			}
		});
		return over;
	}

	/** Forgets what has not been met for a while. */
	void sweep() {
		long now = System.nanoTime();
		this.passing.values().removeIf((one) -> now - one.latest > FORGET);
		this.seen.values().removeIf((one) -> now - one.latest > FORGET);
	}

	private record Passing(Map<String, Long> since, long latest) {
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
