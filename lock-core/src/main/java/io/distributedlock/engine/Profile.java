package io.distributedlock.engine;

import java.time.Duration;
import java.util.Objects;

import io.distributedlock.LockMode;
import io.distributedlock.LockSettings;
import org.jspecify.annotations.Nullable;

/**
 * Resolved settings of one request.
 *
 * @param terms what the caller's hold is to be like
 * @param waitTime how long the caller waits in nanoseconds, zero for one try
 * @param reads whether it shares the lock with other readers
 * @param fair whether it wants strict order
 * @param permits how many may hold the lock, one if it wants to be alone
 * @param sheds whether it is refused at once if it would probably wait in vain
 */
record Profile(Terms terms, long waitTime, boolean reads, boolean fair, int permits, boolean sheds) {

	/**
	 * Of a caller that wants to be alone.
	 */
	Profile(Terms terms, long waitTime) {
		this(terms, waitTime, false, false, 1, false);
	}

	static Profile of(LockSettings settings, LockMode mode, Terms.Known known) {
		Terms terms = new Terms(nanos(settings.ttl()), Objects.requireNonNull(settings.renew(), "renew"),
				nanos(settings.minHold()), nanos(settings.maxHold()), 0);
		return new Profile(known.share(terms), nanos(settings.waitTime()), mode == LockMode.READ,
				Objects.requireNonNull(settings.fair(), "fair"), Objects.requireNonNull(settings.permits(), "permits"),
				Boolean.TRUE.equals(settings.shed()) && settings.waitTime() != null && !settings.waitTime().isZero());
	}

	private static long nanos(@Nullable Duration duration) {
		return Objects.requireNonNull(duration, "Resolved settings are complete").toNanos();
	}

	/** Returns how long the store keeps a grant without renewal. */
	long ttl() {
		return this.terms.ttl();
	}

	boolean renew() {
		return this.terms.renew();
	}

	long minHold() {
		return this.terms.minHold();
	}

	/**
	 * First ttl in the store: the min-hold must also hold after a crash (rule E10).
	 */
	long storeTtl() {
		return Math.max(ttl(), minHold());
	}

	/** Tells whether the caller wants what an ordinary lock is. */
	boolean isAlone() {
		return !this.reads && !this.fair && this.permits == 1;
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
