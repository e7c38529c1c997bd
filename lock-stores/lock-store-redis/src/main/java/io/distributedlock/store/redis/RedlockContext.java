package io.distributedlock.store.redis;

import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ScheduledExecutorService;

import io.distributedlock.LockKey;
import io.distributedlock.spi.AttemptId;

/**
 * What the commands of a Redlock share.
 *
 * @param nodes the servers
 * @param sweepers one for each server
 * @param attempts under which ids attempts are known
 * @param timer for what has to wait
 */
record RedlockContext(RedlockNodes nodes, Map<RedlockNode, RedlockSweeper> sweepers, RedlockAttempts attempts,
		ScheduledExecutorService timer) {

	private static final int DRIFT_DIVISOR = 100;

	private static final long DRIFT_MORE = 2_000_000;

	RedlockSweeper sweeper(RedlockNode node) {
		RedlockSweeper sweeper = this.sweepers.get(node);
		if (sweeper == null) {
			throw new IllegalArgumentException(node + " is not one of " + this.nodes.addresses());
		}
		return sweeper;
	}

	/**
	 * Takes back what an attempt has on any server.
	 */
	void takeBackEverywhere(LockKey key, AttemptId attempt, Duration ttl) {
		this.attempts.ended(attempt);
		this.sweepers.values().forEach((sweeper) -> sweeper.takeBack(key, attempt, ttl));
	}

	/**
	 * Tells whether a ttl is over, as far as clocks of different rate can be trusted.
	 * @param since when the servers were asked
	 */
	static boolean isOver(long since, Duration ttl) {
		long nanos = Math.min(ttl.toNanos(), Long.MAX_VALUE / 2);
		return System.nanoTime() - since >= nanos - nanos / DRIFT_DIVISOR - DRIFT_MORE;
	}

}
