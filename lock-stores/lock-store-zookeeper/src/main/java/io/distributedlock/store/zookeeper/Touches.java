package io.distributedlock.store.zookeeper;

import java.time.Duration;

/**
 * Knows how long a session lives at least.
 * <p>
 * The leader ends a session that nobody has touched for its timeout. It hears of a touch
 * at once only when the session connects; else the server that the client is connected to
 * collects touches and hands them over when the leader pings it, every half tick. If that
 * server fails or is cut off before, the leader never hears of them: to the client the
 * session seems fresh, and yet it ends a timeout after an older touch.
 * <p>
 * Hence this rule. The client touches its session every half tick. A write that succeeds
 * shows that the way to the leader, and the leader's majority, worked after it was sent.
 * So it shows that touches which were answered 3/4 of a tick before have been handed
 * over. The session lives for its timeout from the sending of the latest of those.
 * Readings are of {@link System#nanoTime()}.
 */
final class Touches {

	private static final int REMEMBERED = 8;

	private final long handedOver;

	private final long timeout;

	private final long[] sent = new long[REMEMBERED];

	private final long[] answered = new long[REMEMBERED];

	private int count;

	private long connected;

	Touches(Duration tick, Duration timeout) {
		this.handedOver = tick.toNanos() * 3 / 4;
		this.timeout = timeout.toNanos();
	}

	/**
	 * The session has connected, which the leader confirmed. What an earlier server was
	 * told does not count any more.
	 * @param since when it was certainly not yet connected
	 */
	synchronized void connected(long since) {
		this.connected = since;
		this.count = 0;
	}

	synchronized void answered(long sent, long answered) {
		if (sent - this.connected < 0) {
			return;
		}
		int index = this.count++ % REMEMBERED;
		this.sent[index] = sent;
		this.answered[index] = answered;
	}

	/**
	 * Returns until when the session lives at least.
	 * @param write when a write was sent that has succeeded
	 */
	synchronized long livesUntil(long write) {
		long touch = this.connected;
		for (int i = 0; i < Math.min(this.count, REMEMBERED); i++) {
			if (this.answered[i] - (write - this.handedOver) <= 0 && this.sent[i] - touch > 0) {
				touch = this.sent[i];
			}
		}
		return touch + this.timeout;
	}

}
