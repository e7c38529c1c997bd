package io.distributedlock.engine;

/**
 * Admits so many things per second, and as many at once after a quiet second.
 */
final class RateLimit {

	private static final long SECOND = 1_000_000_000;

	private final Clock clock;

	private final long perSecond;

	private double left;

	private long refilledAt;

	RateLimit(Clock clock, int perSecond) {
		this.clock = clock;
		this.perSecond = perSecond;
		this.left = perSecond;
		this.refilledAt = clock.now();
	}

	/** Tells whether one more is admitted, which counts. */
	synchronized boolean admits() {
		long now = this.clock.now();
		this.left = Math.min(this.perSecond, this.left + (double) (now - this.refilledAt) * this.perSecond / SECOND);
		this.refilledAt = now;
		if (this.left < 1) {
			return false;
		}
		this.left--;
		return true;
	}

}
