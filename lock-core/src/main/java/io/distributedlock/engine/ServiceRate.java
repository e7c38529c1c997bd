package io.distributedlock.engine;

import java.time.Duration;

import io.distributedlock.LockKey;
import io.distributedlock.LockNotAcquiredException;
import io.distributedlock.LockNotAcquiredException.Reason;
import org.jspecify.annotations.Nullable;

/**
 * How fast the callers of one gate are served, and so how long one more would wait. It is
 * the mean time from one grant to the next while callers wait, over about the last
 * {@value #MEMORY} grants. The turns of other JVMs lie between grants, and so they are
 * counted without being known.
 * <p>
 * A prediction cannot keep itself up: the first in line is always let in, each grant
 * corrects the mean, and a gate that becomes idle forgets it. A single hold that took
 * long weighs little, and a holder that is late already is counted as a grant that has
 * taken as long as it has so far.
 * <p>
 * Guarded by the gate's mutex.
 */
final class ServiceRate {

	/** With fewer grants nothing is predicted. */
	static final int ENOUGH = 8;

	/** How many grants the mean looks back, several turns of this JVM. */
	static final int MEMORY = 64;

	private int grants;

	private long mean;

	/** When the last caller was granted the lock, if there was one. */
	private long lastGrant;

	/**
	 * A caller was granted the lock.
	 * @param enteredAt since when it was here: before, nobody may have wanted the lock
	 */
	void granted(long now, long enteredAt) {
		if (this.grants > 0) {
			long took = now - Math.max(this.lastGrant, enteredAt);
			// The first ones count alike, as in a plain average.
			this.mean += (took - this.mean) / Math.min(this.grants, MEMORY);
		}
		this.grants = Math.min(this.grants + 1, MEMORY + 1);
		this.lastGrant = now;
	}

	/**
	 * Returns why a caller is not let in, or null if it is.
	 * @param ahead how many callers are in line
	 */
	@Nullable LockNotAcquiredException refusal(LockKey key, int ahead, Waiter waiter) {
		if (ahead == 0 || this.grants <= ENOUGH) {
			return null;
		}
		long wait = predict(ahead, waiter.enteredAt);
		long most = waiter.profile.waitTime();
		// An eighth for what a mean does not tell: most of those let in must be served.
		if (wait <= most - most / 8) {
			return null;
		}
		return new LockNotAcquiredException(key, Reason.PREDICTED_TIMEOUT, Duration.ZERO,
				ahead + " callers of this instance wait already, predicted wait " + millis(wait) + "ms, wait time "
						+ millis(most) + "ms");
	}

	private long predict(int ahead, long now) {
		long since = Math.max(0, now - this.lastGrant);
		long each = this.mean + Math.max(0, since - this.mean) / MEMORY;
		double wait = (double) each * ahead + Math.max(0, this.mean - since);
		return (long) Math.min(wait, Long.MAX_VALUE / 2.0);
	}

	private static long millis(long nanos) {
		return nanos / 1_000_000;
	}

}
