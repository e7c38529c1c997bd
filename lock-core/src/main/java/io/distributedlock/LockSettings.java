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
 * @param keep whether the key stays taken, by nobody, until its ttl from acquisition is
 * over, if the work under the lock ended normally; what failed may be tried again at once
 * @param fair whether callers of all instances get the lock strictly in the order in
 * which they came
 * @param permits how many callers in the cluster may hold the key at once; one is an
 * ordinary lock
 * @param shed whether callers are refused at once who, as it looks, cannot be served
 * within their wait time; not for readers, who do not wait for each other
 * @param store name of the store to use
 */
public record LockSettings(@Nullable Duration ttl, @Nullable Duration waitTime, @Nullable Boolean renew,
		@Nullable Duration minHold, @Nullable Duration maxHold, @Nullable Boolean keep, @Nullable Boolean fair,
		@Nullable Integer permits, @Nullable Boolean shed, @Nullable String store) {

	/**
	 * Shortest ttl: below it, pauses of the JVM and of the network decide who holds a
	 * lock.
	 */
	public static final Duration MIN_TTL = Duration.ofMillis(500);

	/** Longest duration of any setting, so that nanosecond arithmetic cannot overflow. */
	public static final Duration MAX_DURATION = Duration.ofDays(3650);

	/** All settings open. */
	public static final LockSettings NONE = new LockSettings(null, null, null, null, null, null, null, null, null,
			null);

	/** More holders of one key than this are no use of a lock. */
	public static final int MAX_PERMITS = 10_000;

	/**
	 * What holds where nobody said anything: ttl 30 s, wait time 3 s, renewal on, no
	 * min-hold, max-hold 1 h, not kept, not fair, one permit, no shedding. The store is
	 * open.
	 */
	public static final LockSettings DEFAULTS = new LockSettings(Duration.ofSeconds(30), Duration.ofSeconds(3), true,
			Duration.ZERO, Duration.ofHours(1), false, false, 1, false, null);

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
		if (permits != null && (permits < 1 || permits > MAX_PERMITS)) {
			throw new IllegalArgumentException("permits is " + permits + ". Use 1 for an ordinary lock, at most "
					+ MAX_PERMITS + " to let that many in at once.");
		}
		if (permits != null && permits > 1 && Boolean.TRUE.equals(fair)) {
			throw new IllegalArgumentException("permits = " + permits + " and fair = true do not go together."
					+ " Leave out fair: waiting for a permit has no strict order.");
		}
		if (Boolean.TRUE.equals(shed) && (Boolean.TRUE.equals(fair) || (permits != null && permits > 1))) {
			throw new IllegalArgumentException(
					"shed = true goes with neither fair = true nor permits above 1: waits are"
							+ " predicted for ordinary locks only. Leave out shed.");
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
				(this.maxHold != null) ? this.maxHold : lower.maxHold, (this.keep != null) ? this.keep : lower.keep,
				(this.fair != null) ? this.fair : lower.fair, (this.permits != null) ? this.permits : lower.permits,
				(this.shed != null) ? this.shed : lower.shed, (this.store != null) ? this.store : lower.store);
	}

	/**
	 * Returns settings that differ in {@code ttl}.
	 * @param ttl the value, or null to leave it open
	 * @return the new settings
	 * @throws IllegalArgumentException if it is out of range or contradicts the others
	 */
	public LockSettings withTtl(@Nullable Duration ttl) {
		return new LockSettings(ttl, this.waitTime, this.renew, this.minHold, this.maxHold, this.keep, this.fair,
				this.permits, this.shed, this.store);
	}

	/**
	 * Returns settings that differ in {@code waitTime}.
	 * @param waitTime the value, or null to leave it open
	 * @return the new settings
	 * @throws IllegalArgumentException if it is out of range or contradicts the others
	 */
	public LockSettings withWaitTime(@Nullable Duration waitTime) {
		return new LockSettings(this.ttl, waitTime, this.renew, this.minHold, this.maxHold, this.keep, this.fair,
				this.permits, this.shed, this.store);
	}

	/**
	 * Returns settings that differ in {@code renew}.
	 * @param renew the value, or null to leave it open
	 * @return the new settings
	 * @throws IllegalArgumentException if it is out of range or contradicts the others
	 */
	public LockSettings withRenew(@Nullable Boolean renew) {
		return new LockSettings(this.ttl, this.waitTime, renew, this.minHold, this.maxHold, this.keep, this.fair,
				this.permits, this.shed, this.store);
	}

	/**
	 * Returns settings that differ in {@code minHold}.
	 * @param minHold the value, or null to leave it open
	 * @return the new settings
	 * @throws IllegalArgumentException if it is out of range or contradicts the others
	 */
	public LockSettings withMinHold(@Nullable Duration minHold) {
		return new LockSettings(this.ttl, this.waitTime, this.renew, minHold, this.maxHold, this.keep, this.fair,
				this.permits, this.shed, this.store);
	}

	/**
	 * Returns settings that differ in {@code maxHold}.
	 * @param maxHold the value, or null to leave it open
	 * @return the new settings
	 * @throws IllegalArgumentException if it is out of range or contradicts the others
	 */
	public LockSettings withMaxHold(@Nullable Duration maxHold) {
		return new LockSettings(this.ttl, this.waitTime, this.renew, this.minHold, maxHold, this.keep, this.fair,
				this.permits, this.shed, this.store);
	}

	/**
	 * Returns settings that differ in {@code keep}.
	 * @param keep the value, or null to leave it open
	 * @return the new settings
	 * @throws IllegalArgumentException if it is out of range or contradicts the others
	 */
	public LockSettings withKeep(@Nullable Boolean keep) {
		return new LockSettings(this.ttl, this.waitTime, this.renew, this.minHold, this.maxHold, keep, this.fair,
				this.permits, this.shed, this.store);
	}

	/**
	 * Returns settings that differ in {@code fair}.
	 * @param fair the value, or null to leave it open
	 * @return the new settings
	 * @throws IllegalArgumentException if it is out of range or contradicts the others
	 */
	public LockSettings withFair(@Nullable Boolean fair) {
		return new LockSettings(this.ttl, this.waitTime, this.renew, this.minHold, this.maxHold, this.keep, fair,
				this.permits, this.shed, this.store);
	}

	/**
	 * Returns settings that differ in {@code permits}.
	 * @param permits the value, or null to leave it open
	 * @return the new settings
	 * @throws IllegalArgumentException if it is out of range or contradicts the others
	 */
	public LockSettings withPermits(@Nullable Integer permits) {
		return new LockSettings(this.ttl, this.waitTime, this.renew, this.minHold, this.maxHold, this.keep, this.fair,
				permits, this.shed, this.store);
	}

	/**
	 * Returns settings that differ in {@code shed}.
	 * @param shed the value, or null to leave it open
	 * @return the new settings
	 * @throws IllegalArgumentException if it is out of range or contradicts the others
	 */
	public LockSettings withShed(@Nullable Boolean shed) {
		return new LockSettings(this.ttl, this.waitTime, this.renew, this.minHold, this.maxHold, this.keep, this.fair,
				this.permits, shed, this.store);
	}

	/**
	 * Returns settings that differ in {@code store}.
	 * @param store the value, or null to leave it open
	 * @return the new settings
	 * @throws IllegalArgumentException if it is out of range or contradicts the others
	 */
	public LockSettings withStore(@Nullable String store) {
		return new LockSettings(this.ttl, this.waitTime, this.renew, this.minHold, this.maxHold, this.keep, this.fair,
				this.permits, this.shed, store);
	}

}
