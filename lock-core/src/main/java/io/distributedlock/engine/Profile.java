package io.distributedlock.engine;

import java.time.Duration;
import java.util.Objects;

import io.distributedlock.LockSettings;
import org.jspecify.annotations.Nullable;

/**
 * Resolved settings of one request, in nanoseconds.
 *
 * @param ttl how long the store keeps a grant without renewal
 * @param waitTime how long the caller waits, zero for one try
 * @param renew whether the watchdog renews
 * @param minHold how long the key stays taken at least
 * @param maxHold after this time the watchdog stops renewing
 */
record Profile(long ttl, long waitTime, boolean renew, long minHold, long maxHold) {

	static Profile of(LockSettings settings) {
		return new Profile(nanos(settings.ttl()), nanos(settings.waitTime()),
				Objects.requireNonNull(settings.renew(), "renew"), nanos(settings.minHold()),
				nanos(settings.maxHold()));
	}

	private static long nanos(@Nullable Duration duration) {
		return Objects.requireNonNull(duration, "Resolved settings are complete").toNanos();
	}

	/**
	 * First ttl in the store: the min-hold must also hold after a crash (rule E10).
	 */
	long storeTtl() {
		return Math.max(this.ttl, this.minHold);
	}

	boolean waits() {
		return this.waitTime > 0;
	}

	/**
	 * What the ttl may be off by between two clocks: 1 % and 2 ms, as Redlock allows.
	 */
	static long drift(long ttl) {
		return ttl / 100 + 2_000_000;
	}

	/**
	 * Returns the ttl that leaves the given time after drift.
	 */
	static long ttlFor(long nanos) {
		return nanos + drift(nanos) * 102 / 100;
	}

}
