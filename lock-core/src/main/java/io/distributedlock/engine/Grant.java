package io.distributedlock.engine;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.Objects;
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
class Grant extends TimerWheel.Entry {

	private static final AtomicLongFieldUpdater<Grant> DEADLINE = AtomicLongFieldUpdater.newUpdater(Grant.class,
			"deadline");

	private static final VarHandle ARMING = arming();

	private static final long EXPIRED = Long.MIN_VALUE;

	private static final int MOST_DOUBLINGS = 10;

	final KeyGate gate;

	/** It is of this JVM only, since the store was out ({@link LocalFallback}). */
	final boolean local;

	// There is a grant for every lease that is held, so that it has no object for its
	// attempt, only what is in it.

	private final long attemptHigh;

	private final long attemptLow;

	private volatile long deadline;

	/** Who holds it now, null while it is handed on. Written under the gate's mutex. */
	volatile @Nullable Hold hold;

	/**
	 * A command that sets the ttl in the store is under way. There is never a second one,
	 * so that the last one answered is the last one executed.
	 */
	private volatile boolean arming;

	/** It was given back or lost. Written under the gate's mutex. */
	volatile boolean ended;

	/** When the watchdog should renew next. */
	volatile long renewDue;

	/**
	 * The shortest ttl of all commands that set it and got no answer. Such a command may
	 * still be executed after later ones, and leaves no less than this. Written by who
	 * has the {@linkplain #tryArm() right} to send such a command.
	 */
	private volatile long doubt = Long.MAX_VALUE;

	/** What the store was last told; a hold with another ttl needs a new arming. */
	volatile long ttl;

	// Guarded by the gate's mutex from here on.

	private boolean watched;

	/** The tokens that are left, null if there are none. */
	private @Nullable Tokens tokens;

	/** When the store last said that nobody else waits. */
	long turnStart;

	/** The store has said that somebody else waits. */
	boolean yield;

	/** The next block is being asked for. */
	boolean extending;

	/** How often the store has said so far that nobody else waits. */
	private byte undisturbed;

	Grant(KeyGate gate, AttemptId attempt, long ttl, long deadline, long firstToken, int tokens, long turnStart) {
		this.gate = gate;
		this.attemptHigh = attempt.high();
		this.attemptLow = attempt.low();
		this.ttl = ttl;
		this.deadline = deadline;
		this.local = firstToken == LocalFallback.LOCAL.firstToken();
		addTokens(firstToken, tokens);
		this.turnStart = turnStart;
	}

	AttemptId attempt() {
		return new AttemptId(this.attemptHigh, this.attemptLow);
	}

	private static VarHandle arming() {
		try {
			return MethodHandles.lookup().findVarHandle(Grant.class, "arming", boolean.class);
		}
		catch (ReflectiveOperationException ex) {
			throw new IllegalStateException(ex);
		}
	}

	/**
	 * Reserves the right to send a command that sets the ttl.
	 * @return false if one is under way
	 */
	boolean tryArm() {
		return ARMING.compareAndSet(this, false, true);
	}

	/**
	 * A command that sets the ttl may have been executed, or will be.
	 */
	void unanswered(long ttl) {
		this.doubt = Math.min(this.doubt, ttl);
	}

	/**
	 * The grant takes the place of another one: commands without an answer that were sent
	 * for that one may be executed for this one.
	 */
	void inheritDoubt(Grant former) {
		this.doubt = Math.min(this.doubt, former.doubt);
	}

	/**
	 * Returns for how long the store is certain to keep the grant from when it was sent a
	 * command that it has confirmed.
	 * @param ttl what the command asked for
	 */
	long certain(long ttl) {
		return Math.min(ttl, this.doubt);
	}

	/**
	 * Returns until when the grant may be relied upon after such a command.
	 */
	long deadlineOf(long sentAt, long ttl) {
		long certain = certain(ttl);
		return Clock.plus(sentAt, certain - Profile.drift(certain));
	}

	/**
	 * Returns the ttl that a renewal sent now has to ask for.
	 * @param hold on whose behalf it is sent
	 */
	long renewalTtl(Hold hold, long now) {
		return hold.renewalTtl(now);
	}

	/** The answer to the command has been taken note of. */
	void armed() {
		this.arming = false;
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
		return this.tokens != null;
	}

	/** The store has said that nobody else waits. */
	void undisturbed() {
		this.undisturbed = (byte) Math.min(this.undisturbed + 1, MOST_DOUBLINGS);
	}

	/**
	 * Returns how many tokens the next block should have: twice as many each time that
	 * nobody else waited, up to a limit (ADR 0028).
	 * @param first size of the first such block
	 * @param most no more than this, unless the first one has more
	 */
	int nextBlock(int first, int most) {
		return Math.max(first, Math.min(most, first << this.undisturbed));
	}

	/**
	 * Tells whether at most half of the tokens are left, which is the time to ask for
	 * more.
	 */
	boolean isHalfUsed() {
		Tokens block = this.tokens;
		return block == null || (block.further == null && block.left <= block.size / 2);
	}

	long takeToken() {
		Tokens block = Objects.requireNonNull(this.tokens, "tokens");
		if (--block.left == 0) {
			this.tokens = block.further;
		}
		return block.next++;
	}

	void addTokens(long firstToken, int count) {
		if (count == 0) {
			return;
		}
		Tokens block = new Tokens(firstToken, count);
		if (this.tokens == null) {
			this.tokens = block;
		}
		else {
			this.tokens.further = block;
		}
	}

	/**
	 * A block of tokens that follow each other.
	 */
	private static final class Tokens {

		private final int size;

		private long next;

		private int left;

		private @Nullable Tokens further;

		Tokens(long first, int count) {
			this.next = first;
			this.left = count;
			this.size = count;
		}

	}

}
