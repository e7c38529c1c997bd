package io.distributedlock;

import java.time.Duration;

/**
 * How the ttl of leases without renewal follows the time for which the lock is held: the
 * 99.9th percentile of recent hold times of this JVM, times a margin, within bounds.
 *
 * @param min never less than this; at least {@link LockSettings#MIN_TTL}
 * @param max never more than this, so that nobody waits longer for a dead holder
 * @param margin what the percentile is multiplied with, from 1.1 to 100: leases must
 * outlive slower holds than have been seen
 */
public record AdaptiveTtl(Duration min, Duration max, double margin) {

	/**
	 * Checks the settings.
	 * @throws IllegalArgumentException if one is out of range; the message says what to
	 * type
	 */
	public AdaptiveTtl {
		if (min.compareTo(LockSettings.MIN_TTL) < 0) {
			throw new IllegalArgumentException("adaptive-ttl.min is " + min.toMillis() + "ms, at least "
					+ LockSettings.MIN_TTL.toMillis() + "ms are needed. Try min = 1s.");
		}
		if (max.compareTo(min) < 0 || max.compareTo(LockSettings.MAX_DURATION) > 0) {
			throw new IllegalArgumentException(
					"adaptive-ttl.max is " + max.toMillis() + "ms, it must not be less than" + " adaptive-ttl.min ("
							+ min.toMillis() + "ms) nor more than " + LockSettings.MAX_DURATION.toDays() + "d.");
		}
		if (!(margin >= 1.1 && margin <= 100)) {
			throw new IllegalArgumentException(
					"adaptive-ttl.margin is " + margin + ". Use 1.1 to 100; 2 is twice what nearly all holds need.");
		}
	}

}
