package io.distributedlock.store.redis;

import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

import io.distributedlock.spi.AttemptId;

/**
 * Under which id an attempt is known to the servers.
 * <p>
 * Mostly under its own. But when a vote failed, what some servers granted is taken back,
 * and that may reach one of them late. Asked again under the same id, the server would
 * then lose a grant that counts. So an id of which something is taken back is never sent
 * with an acquire again: the attempt goes on under a new one.
 */
final class RedlockAttempts {

	private static final long GRACE = Duration.ofMinutes(1).toNanos();

	private final Map<AttemptId, Alias> aliases = new ConcurrentHashMap<>();

	/** Rounds that some servers have still to answer. */
	private final Map<AttemptId, RedlockAcquire.Round> open = new ConcurrentHashMap<>();

	/**
	 * Returns the id under which the servers know an attempt.
	 */
	AttemptId current(AttemptId attempt) {
		Alias alias = this.aliases.isEmpty() ? null : this.aliases.get(attempt);
		return (alias != null) ? alias.id : attempt;
	}

	/**
	 * Gives an attempt a new id, because what it had under the old one is taken back.
	 */
	void replace(AttemptId attempt) {
		this.aliases.put(attempt, new Alias(AttemptId.random(), System.nanoTime() + GRACE));
	}

	/**
	 * Keeps an attempt's id for as long as its grant may live.
	 */
	void keep(AttemptId attempt, Duration ttl) {
		Alias alias = this.aliases.isEmpty() ? null : this.aliases.get(attempt);
		if (alias != null) {
			long until = System.nanoTime() + GRACE + Math.min(ttl.toNanos(), Long.MAX_VALUE / 4);
			if (until - alias.until > 0) {
				alias.until = until;
			}
		}
	}

	/**
	 * Forgets an attempt that has ended.
	 */
	void forget(AttemptId attempt) {
		if (!this.aliases.isEmpty()) {
			this.aliases.remove(attempt);
		}
	}

	void opened(RedlockAcquire.Round round) {
		this.open.put(round.attempt(), round);
	}

	void settled(RedlockAcquire.Round round) {
		this.open.remove(round.attempt(), round);
	}

	/**
	 * Returns how many rounds some servers have still to answer.
	 */
	int open() {
		return this.open.size();
	}

	/**
	 * Says that an attempt is given back: what servers grant it from now on is not
	 * wanted.
	 */
	void ended(AttemptId current) {
		RedlockAcquire.Round round = this.open.get(current);
		if (round != null) {
			round.end();
		}
	}

	/**
	 * Forgets attempts that nobody has come back to.
	 */
	void dropOld() {
		long now = System.nanoTime();
		this.aliases.values().removeIf((alias) -> now - alias.until > 0);
	}

	private static final class Alias {

		private final AttemptId id;

		private volatile long until;

		Alias(AttemptId id, long until) {
			this.id = id;
			this.until = until;
		}

	}

}
