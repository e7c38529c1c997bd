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
 * steps back once, in vain if it is alone. Guarded by the gate's mutex.
 */
final class PollPace {

	/** Shortest pause between two questions. */
	private static final long FIRST = 10_000_000;

	/** How long a gate may go on from turn to turn before it looks for others. */
	private static final long ALONE = 250_000_000;

	/** After how many turns in a row without a refusal others count as gone. */
	private static final int MEMORY = 16;

	private final long longest;

	private int rivals;

	private long since;

	/**
	 * @param longest longest pause between two questions
	 * @param now when the first turn begins
	 */
	PollPace(long longest, long now) {
		this.longest = longest;
		this.since = now;
	}

	/** The store has refused: somebody else has the lock. */
	long afterRefusal(Attempt refused, long now) {
		this.rivals = MEMORY;
		this.since = now;
		return Clock.jitter(Math.min(this.longest, FIRST << Math.min(refused.polls++, 16)));
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

}
