package io.distributedlock.engine;

import java.util.concurrent.ThreadLocalRandom;

/**
 * How often a gate asks a store that has no queue, and when it leaves the lock to other
 * JVMs. Such a store cannot say whether anybody else waits, nor keep the lock for them:
 * they ask again and again, and find it free only if its last user has stepped back for
 * about as long as the pause between two of their questions.
 * <p>
 * After a turn a gate steps back if the store has refused it lately, for then there are
 * others. If it never has, others may still wait without having been met, since they only
 * ask while the lock is taken; so a gate that has had the lock to itself for a while
 * steps back once, in vain if it is alone.
 * <p>
 * Where callers come one at a time, each has a gate of its own, and all that come close
 * upon each other are one turn. So what is known outlives its gate for a moment. Guarded
 * by the mutex of the key's gates.
 */
final class PollPace {

	/** How long a gate may go on from turn to turn before it looks for others. */
	private static final long ALONE = 250_000_000;

	/** After how many turns in a row without a refusal others count as gone. */
	private static final int MEMORY = 16;

	/** For how long what was known of a key may be of use to its next gate. */
	private static final long KEPT = 1_000_000_000;

	private final String key;

	private final long longest;

	private int rivals;

	private long since;

	private long restedAt;

	private long othersUntil;

	/**
	 * @param key whose gates it is for
	 * @param longest longest pause between two questions
	 * @param now when the first turn begins
	 */
	PollPace(String key, long longest, long now) {
		this.key = key;
		this.longest = longest;
		this.since = now;
		this.othersUntil = now;
	}

	String key() {
		return this.key;
	}

	/** The store has refused: somebody else has the lock. */
	long afterRefusal(Attempt refused, long now) {
		this.rivals = MEMORY;
		this.since = now;
		return refused.pauseToPoll(this.longest);
	}

	/**
	 * A turn is over, and callers of this JVM wait for the next one.
	 * @return how long to leave the lock to others, zero for not at all
	 */
	long afterTurn(long now) {
		if (this.rivals > 0) {
			this.rivals--;
			this.since = now;
			return Clock.jitter(this.longest);
		}
		if (now - this.since >= ALONE) {
			this.since = now;
			return ThreadLocalRandom.current().nextLong(this.longest / 4, this.longest);
		}
		return 0;
	}

	/**
	 * A lease is over, and no caller of this JVM waits for the next one. If the turn is
	 * over, too, who comes next leaves the lock to others first.
	 */
	void afterLastCaller(long now) {
		boolean sameTurn = this.rivals > 0 && now - this.since < this.longest;
		if (!sameTurn) {
			long pause = afterTurn(now);
			this.othersUntil = now + pause;
			this.since += pause;
		}
	}

	/** The gate ends. */
	void rest(long now) {
		this.restedAt = now;
	}

	/**
	 * Tells whether the next gate of the key may go on with it.
	 */
	boolean isFresh(long now) {
		return now - this.restedAt < KEPT;
	}

	/**
	 * Callers come again.
	 * @return how long others may still come first
	 */
	long resume(long now) {
		if (now - this.restedAt >= this.longest && now - this.since > 0) {
			// So long that others had their chance: a new turn.
			this.since = now;
		}
		return Math.max(0, this.othersUntil - now);
	}

}
