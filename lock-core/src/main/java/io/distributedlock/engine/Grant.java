package io.distributedlock.engine;

import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLongFieldUpdater;

import io.distributedlock.spi.AttemptId;
import org.jspecify.annotations.Nullable;

/**
 * What the store gave to this JVM: an attempt id, a block of tokens and a deadline (rule
 * E1). It serves one hold after the other.
 * <p>
 * The deadline is read by anybody at any time. Two things may happen to it: a renewal
 * moves it, or somebody sees that it has passed. Both are a compare-and-set on the same
 * field, so that a late renewal cannot revive a lease that anybody has seen expired (rule
 * E6). The rest is guarded by the gate's mutex.
 */
final class Grant extends TimerWheel.Entry {

	private static final AtomicLongFieldUpdater<Grant> DEADLINE = AtomicLongFieldUpdater.newUpdater(Grant.class,
			"deadline");

	private static final long EXPIRED = Long.MIN_VALUE;

	final Gate gate;

	final AttemptId attempt;

	private volatile long deadline;

	/** Who holds it now, null while it is handed on. Written under the gate's mutex. */
	volatile @Nullable Hold hold;

	/**
	 * A command that sets the ttl in the store is under way. There is never a second one,
	 * so that the last one answered is the last one executed.
	 */
	final AtomicBoolean arming = new AtomicBoolean();

	/** It was given back or lost. Written under the gate's mutex. */
	volatile boolean ended;

	/** When the watchdog should renew next. */
	volatile long renewDue;

	/**
	 * A command that sets the ttl got no answer, so it may still be executed after later
	 * ones. Harmless as long as none of those asks for more.
	 */
	volatile boolean doubtful;

	/** The store has said that no other JVM waits. Guarded by the gate's mutex. */
	boolean alone;

	/** What the store was last told; a hold with another ttl needs a new arming. */
	volatile long ttl;

	// Guarded by the gate's mutex from here on.

	private boolean watched;

	private long nextToken;

	private int tokensLeft;

	private int blockSize;

	private long furtherToken;

	private int furtherTokens;

	/** When the store last said that nobody else waits. */
	long turnStart;

	/** The store has said that somebody else waits. */
	boolean yield;

	Grant(Gate gate, AttemptId attempt, long ttl, long deadline, long firstToken, int tokens, long turnStart) {
		this.gate = gate;
		this.attempt = attempt;
		this.ttl = ttl;
		this.deadline = deadline;
		this.nextToken = firstToken;
		this.tokensLeft = tokens;
		this.blockSize = tokens;
		this.turnStart = turnStart;
	}

	/**
	 * Tells whether the deadline lies ahead. Once this was false it stays false.
	 */
	boolean isAlive(long now) {
		while (true) {
			long current = this.deadline;
			if (now < current) {
				return true;
			}
			if (current == EXPIRED || DEADLINE.compareAndSet(this, current, EXPIRED)) {
				return false;
			}
		}
	}

	/**
	 * Moves the deadline to a later moment.
	 * @return false if it has passed, so that the renewal comes too late
	 */
	boolean prolong(long now, long newDeadline) {
		while (true) {
			long current = this.deadline;
			if (!isAlive(now)) {
				return false;
			}
			if (newDeadline <= current || DEADLINE.compareAndSet(this, current, newDeadline)) {
				return true;
			}
		}
	}

	/**
	 * A command is about to be sent that may shorten the store's ttl: from now on nobody
	 * may rely on more than what it leaves.
	 */
	void sending(long newDeadline) {
		while (true) {
			long current = this.deadline;
			if (newDeadline >= current || DEADLINE.compareAndSet(this, current, newDeadline)) {
				return;
			}
		}
	}

	/**
	 * Returns the time to the deadline, zero if it has passed.
	 */
	long remaining(long now) {
		long current = this.deadline;
		return (current > now) ? current - now : 0;
	}

	/**
	 * Returns when the deadline is; in the past if it has been seen to pass.
	 */
	long deadline() {
		return this.deadline;
	}

	void expire() {
		this.deadline = EXPIRED;
	}

	/**
	 * Tells whether the watchdog has to be told of this grant, which is the case once.
	 */
	boolean startWatch() {
		boolean first = !this.watched;
		this.watched = true;
		return first;
	}

	boolean hasToken() {
		return this.tokensLeft + this.furtherTokens > 0;
	}

	/**
	 * Tells whether at most half of the tokens are left, which is the time to ask for
	 * more.
	 */
	boolean isHalfUsed() {
		return this.furtherTokens == 0 && this.tokensLeft <= this.blockSize / 2;
	}

	long takeToken() {
		if (this.tokensLeft == 0) {
			this.nextToken = this.furtherToken;
			this.tokensLeft = this.furtherTokens;
			this.blockSize = this.furtherTokens;
			this.furtherTokens = 0;
		}
		this.tokensLeft--;
		return this.nextToken++;
	}

	void addTokens(long firstToken, int tokens) {
		this.furtherToken = firstToken;
		this.furtherTokens = tokens;
	}

}
