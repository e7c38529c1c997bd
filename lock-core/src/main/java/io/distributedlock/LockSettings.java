package io.distributedlock;

import java.time.Duration;

import org.jspecify.annotations.Nullable;

/**
 * How a lock is taken and kept. Each setting may be left open ({@code null}); open
 * settings are filled from the next layer: code request,
 * {@code distributed-lock.locks.<name>}, annotation, global.
 * <p>
 * {@code ttl} and {@code renew} are independent: giving a ttl never switches renewal off.
 *
 * @param ttl how long the store keeps a grant without renewal; at least {@link #MIN_TTL}
 * @param waitTime how long a caller is willing to wait; zero is one try
 * @param renew whether the watchdog renews the lease while it is held
 * @param minHold how long the key stays taken at least, counted from acquisition
 * @param maxHold after this time from acquisition the watchdog stops renewing, so that a
 * hung holder loses the lock
 * @param store name of the store to use
 */
public record LockSettings(@Nullable Duration ttl, @Nullable Duration waitTime, @Nullable Boolean renew,
		@Nullable Duration minHold, @Nullable Duration maxHold, @Nullable String store) {

	/**
	 * Shortest ttl: below it, pauses of the JVM and of the network decide who holds a
	 * lock.
	 */
	public static final Duration MIN_TTL = Duration.ofMillis(500);

	/** Longest duration of any setting, so that nanosecond arithmetic cannot overflow. */
	public static final Duration MAX_DURATION = Duration.ofDays(3650);

	/** All settings open. */
	public static final LockSettings NONE = new LockSettings(null, null, null, null, null, null);

	/**
	 * What holds where nobody said anything: ttl 30 s, wait time 3 s, renewal on, no
	 * min-hold, max-hold 1 h. The store is open.
	 */
	public static final LockSettings DEFAULTS = new LockSettings(Duration.ofSeconds(30), Duration.ofSeconds(3), true,
			Duration.ZERO, Duration.ofHours(1), null);

	/**
	 * Checks the settings that are given.
	 * @throws IllegalArgumentException if one is out of range; the message says what to
	 * type
	 */
	public LockSettings {
		if (ttl != null && ttl.compareTo(MIN_TTL) < 0) {
			throw new IllegalArgumentException("ttl is " + ttl.toMillis() + "ms, at least " + MIN_TTL.toMillis()
					+ "ms are needed: with less, an ordinary pause loses the lock. Try ttl = 10s.");
		}
		notAboveMax("ttl", ttl);
		if (waitTime != null && waitTime.isNegative()) {
			throw new IllegalArgumentException("waitTime is " + waitTime + ". Use 0 for one try without waiting.");
		}
		notAboveMax("waitTime", waitTime);
		if (minHold != null && minHold.isNegative()) {
			throw new IllegalArgumentException("minHold is " + minHold + ". Use 0 for none.");
		}
		notAboveMax("minHold", minHold);
		if (maxHold != null && (maxHold.isNegative() || maxHold.isZero())) {
			throw new IllegalArgumentException("maxHold is " + maxHold + ". It must be above 0; the default is 1h.");
		}
		notAboveMax("maxHold", maxHold);
		if (minHold != null && maxHold != null && minHold.compareTo(maxHold) > 0) {
			throw new IllegalArgumentException("minHold (" + minHold + ") is longer than maxHold (" + maxHold
					+ "). Raise maxHold or lower minHold.");
		}
		if (store != null && store.isBlank()) {
			throw new IllegalArgumentException("store is blank. Leave it out to use the default store.");
		}
	}

	private static void notAboveMax(String name, @Nullable Duration value) {
		if (value != null && value.compareTo(MAX_DURATION) > 0) {
			throw new IllegalArgumentException(
					name + " is " + value + ", at most " + MAX_DURATION.toDays() + "d are allowed.");
		}
	}

	/**
	 * Fills what is open here from a lower layer.
	 * @param lower the layer to ask for what is open here
	 * @return the merged settings
	 * @throws IllegalArgumentException if settings of the two layers contradict each
	 * other
	 */
	public LockSettings orElse(LockSettings lower) {
		return new LockSettings((this.ttl != null) ? this.ttl : lower.ttl,
				(this.waitTime != null) ? this.waitTime : lower.waitTime,
				(this.renew != null) ? this.renew : lower.renew, (this.minHold != null) ? this.minHold : lower.minHold,
				(this.maxHold != null) ? this.maxHold : lower.maxHold, (this.store != null) ? this.store : lower.store);
	}

}
