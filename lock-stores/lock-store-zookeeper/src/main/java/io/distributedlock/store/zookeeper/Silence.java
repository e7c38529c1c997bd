package io.distributedlock.store.zookeeper;

import java.time.Duration;

/**
 * Notices that a server does not answer any more, which a connection does not tell if the
 * server has lost its power. The client itself waits for two thirds of the session's
 * timeout; another server is to be reached while there is time for it.
 * <p>
 * Touches are sent in equal intervals. If more time has passed since the last one, it was
 * this JVM that was silent, and counting begins anew. Readings are of
 * {@link System#nanoTime()}.
 */
final class Silence {

	private final long longest;

	private final long pause;

	private long since;

	private long sent;

	private boolean waiting;

	/**
	 * Makes one for a connection.
	 * @param tick twice the interval of touches
	 * @param ttl for which ttl the session is
	 */
	Silence(Duration tick, Duration ttl) {
		this.longest = Math.max(tick.toNanos(), ttl.toNanos() / 6);
		this.pause = tick.toNanos();
	}

	Duration longest() {
		return Duration.ofNanos(this.longest);
	}

	/**
	 * A touch is sent.
	 * @return true if earlier ones had no answer for too long
	 */
	synchronized boolean sent(long now) {
		boolean paused = now - this.sent > this.pause;
		this.sent = now;
		if (!this.waiting || paused) {
			this.since = now;
		}
		this.waiting = true;
		return now - this.since > this.longest;
	}

	/** Something was answered, or there is a new connection. */
	synchronized void broken() {
		this.waiting = false;
	}

}
