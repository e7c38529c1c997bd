package io.distributedlock.store.redis;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.locks.ReentrantLock;

import org.jspecify.annotations.Nullable;

import io.distributedlock.LockKey;
import io.distributedlock.spi.AttemptId;
import io.distributedlock.spi.StoreException;

/**
 * Gets tokens from a quorum of servers, for an acquire or an extension (rule R10).
 *
 * <h2>In two steps</h2>
 * <ol>
 * <li>All servers are asked at once. Each that says yes has the attempt as its holder,
 * and offers a block of tokens above its own mark. With a quorum of them, the block
 * begins at the highest offer.</li>
 * <li>The end of the block is written back to those servers as their mark, each time only
 * if the attempt still holds there. The tokens count when a quorum has confirmed that,
 * and not before. If a quorum offers the very same block, it has the mark already.</li>
 * </ol>
 *
 * <h2>Why tokens rise</h2> Take two grants that count. Their second steps have a server
 * in common, and on that server the two holds do not overlap, since the second step
 * demands the hold. Whoever came there later was offered tokens above the mark that the
 * earlier one had written, and its block begins no lower than this offer: a confirmation
 * counts only from a server whose offer was not above the block. One that answers late
 * with a higher offer is told of the block too, but is not counted. These two conditions
 * keep two grants from sharing a token even where clocks jump and both believe that they
 * hold. docs/model/redlock.pml has each of them, and fails without it.
 * <p>
 * A server that was restarted empty has no mark. It offers its clock, and the majority
 * offers more than its mark, so that tokens can fall only if the clocks of the servers
 * differ by more than a restart takes and the marks of a majority are lost.
 *
 * <h2>Threads</h2> Answers come on the threads of each server. They change the round
 * under its mutex; what follows from them is done after unlocking.
 */
abstract class RedlockRound {

	private final RedlockNodes nodes;

	private final LockKey key;

	private final AttemptId attempt;

	private final Duration ttl;

	private final long deadline;

	private final ReentrantLock mutex = new ReentrantLock();

	private final List<Voter> voters = new ArrayList<>();

	private final List<Runnable> then = new ArrayList<>();

	private State state = State.ASKING;

	private long first;

	private int tokens;

	RedlockRound(RedlockNodes nodes, LockKey key, AttemptId attempt, Duration ttl, long deadline) {
		this.nodes = nodes;
		this.key = key;
		this.attempt = attempt;
		this.ttl = ttl;
		this.deadline = deadline;
		for (RedlockNode node : nodes.all()) {
			this.voters.add(new Voter(node));
		}
	}

	final RedlockNodes nodes() {
		return this.nodes;
	}

	final LockKey key() {
		return this.key;
	}

	final AttemptId attempt() {
		return this.attempt;
	}

	final Duration ttl() {
		return this.ttl;
	}

	final long deadline() {
		return this.deadline;
	}

	/**
	 * Returns what the servers have said so far. Under the mutex, or at the end.
	 */
	final List<Voter> voters() {
		return this.voters;
	}

	/**
	 * Asks the servers.
	 * @param limit when an answer to the first step is of no use any more
	 */
	final void start(long limit) {
		for (Voter voter : this.voters) {
			if (!mayAsk(voter)) {
				return;
			}
			long until = this.nodes.deadline(System.nanoTime(), limit);
			this.nodes.ask(voter.node, (node) -> ask(node, until))
				.whenComplete((said, thrown) -> transition(() -> answered(voter, said, thrown)));
		}
	}

	private boolean mayAsk(Voter voter) {
		this.mutex.lock();
		try {
			if (this.state == State.FAILED) {
				return false;
			}
			voter.said = Said.NOTHING;
			return true;
		}
		finally {
			this.mutex.unlock();
		}
	}

	/**
	 * Changes the round under the mutex, then does what follows.
	 */
	final void transition(Runnable change) {
		List<Runnable> actions;
		this.mutex.lock();
		try {
			change.run();
			actions = List.copyOf(this.then);
			this.then.clear();
		}
		finally {
			this.mutex.unlock();
		}
		actions.forEach(Runnable::run);
	}

	/**
	 * Does something after unlocking.
	 */
	final void then(Runnable action) {
		this.then.add(action);
	}

	private void answered(Voter voter, @Nullable Offer offer, @Nullable Throwable thrown) {
		if (offer == null) {
			voter.said = Said.FAILED;
			voter.failure = RedlockNodes
				.failure((thrown != null) ? thrown : new IllegalStateException("no answer at all"));
		}
		else if (offer.tokens == 0) {
			voter.said = Said.NO;
			voter.offer = offer;
		}
		else {
			voter.said = Said.YES;
			voter.offer = offer;
		}
		switch (this.state) {
			case ASKING -> tally();
			case CONFIRMING -> {
				if (voter.said == Said.YES) {
					raise(voter);
				}
				tallyConfirmed();
			}
			case AGREED -> {
				if (voter.said == Said.YES) {
					raise(voter);
				}
				late(voter);
			}
			case FAILED -> late(voter);
		}
	}

	private void tally() {
		int agreeing = count(Said.YES);
		if (agreeing >= this.nodes.quorum()) {
			Voter highest = this.voters.get(0);
			for (Voter voter : this.voters) {
				if (voter.said == Said.YES && (highest.said != Said.YES || voter.first() > highest.first())) {
					highest = voter;
				}
			}
			// Whose mark is far ahead of its clock offers one token; what counts is the
			// one whose offer is taken.
			this.first = highest.first();
			this.tokens = highest.offer().tokens;
			this.state = State.CONFIRMING;
			for (Voter voter : this.voters) {
				if (voter.said == Said.YES) {
					raise(voter);
				}
			}
			tallyConfirmed();
		}
		else if (agreeing + count(Said.UNASKED) + count(Said.NOTHING) < this.nodes.quorum()) {
			this.state = State.FAILED;
			impossible();
		}
	}

	private void raise(Voter voter) {
		if (voter.first() == this.first && voter.offer().tokens == this.tokens) {
			voter.said = Said.CONFIRMED;
			return;
		}
		// Above the block: it is told, but does not count.
		voter.said = (voter.first() <= this.first) ? Said.RAISING : Said.STRAY;
		then(() -> {
			long until = this.nodes.deadline(System.nanoTime(), this.deadline);
			voter.node
				.raise(this.key, this.attempt, firstToWrite(this.first), this.first + this.tokens - 1, this.ttl, until)
				.whenComplete((raised, thrown) -> transition(() -> raised(voter, Boolean.TRUE.equals(raised), thrown)));
		});
	}

	private void raised(Voter voter, boolean raised, @Nullable Throwable thrown) {
		if (voter.said != Said.RAISING) {
			return;
		}
		if (raised) {
			voter.said = Said.CONFIRMED;
		}
		else {
			voter.said = Said.UNCONFIRMED;
			voter.failure = (thrown != null) ? RedlockNodes.failure(thrown) : new StoreException(
					"The grant has ended there meanwhile. [server " + voter.node + "]", true, true, null);
		}
		if (this.state == State.CONFIRMING) {
			tallyConfirmed();
		}
	}

	private void tallyConfirmed() {
		int confirmed = count(Said.CONFIRMED);
		if (confirmed >= this.nodes.quorum()) {
			this.state = State.AGREED;
			agreed(this.first, this.tokens);
		}
		else if (confirmed + count(Said.RAISING) + count(Said.UNASKED) + count(Said.NOTHING) < this.nodes.quorum()) {
			this.state = State.FAILED;
			unconfirmed();
		}
	}

	final int count(Said said) {
		int count = 0;
		for (Voter voter : this.voters) {
			if (voter.said == said) {
				count++;
			}
		}
		return count;
	}

	/**
	 * Turns the round into a failed one although it has agreed.
	 */
	final void fail() {
		this.state = State.FAILED;
	}

	final boolean hasFailed() {
		return this.state == State.FAILED;
	}

	/**
	 * Tells whether no server will answer any more. While servers are still being asked,
	 * one that has not been asked yet may answer, unless the round has failed.
	 */
	final boolean hasAllAnswers() {
		return count(Said.NOTHING) == 0 && (hasFailed() || count(Said.UNASKED) == 0);
	}

	final Collection<StoreException> failures() {
		List<StoreException> failures = new ArrayList<>();
		for (Voter voter : this.voters) {
			if (voter.failure != null) {
				failures.add(voter.failure);
			}
		}
		return failures;
	}

	/**
	 * Asks one server.
	 */
	abstract CompletableFuture<Offer> ask(RedlockNode node, long until);

	/**
	 * Returns the first token that is written back, given the first of the block.
	 */
	abstract long firstToWrite(long first);

	/**
	 * A quorum has confirmed the block. Under the mutex, like those that follow.
	 */
	abstract void agreed(long first, int tokens);

	/**
	 * A quorum cannot say yes any more.
	 */
	abstract void impossible();

	/**
	 * A quorum said yes but cannot confirm any more.
	 */
	abstract void unconfirmed();

	/**
	 * A server has answered after all was over.
	 */
	abstract void late(Voter voter);

	private enum State {

		ASKING, CONFIRMING, AGREED, FAILED

	}

	/**
	 * What a server has said.
	 */
	enum Said {

		/** It has not been asked. */
		UNASKED,

		/** Its answer is awaited. */
		NOTHING,

		/** It offers tokens. */
		YES,

		/** Others hold the lock there, or the grant is not there. */
		NO,

		/** No usable answer. */
		FAILED,

		/** It said yes and is told of the block. */
		RAISING,

		/** It said yes late, with tokens above the block. */
		STRAY,

		/** It said yes and knows the block. */
		CONFIRMED,

		/** It said yes, but may not know the block, or has lost the grant. */
		UNCONFIRMED

	}

	/**
	 * What one server answers.
	 *
	 * @param first first token that it offers
	 * @param tokens how many, zero if it says no
	 * @param holder who has the lock there
	 * @param freeIn how long it is taken there
	 */
	record Offer(long first, int tokens, @Nullable String holder, Duration freeIn) {

		static Offer of(long first, int tokens) {
			return new Offer(first, tokens, null, Duration.ZERO);
		}

		static Offer none(@Nullable String holder, Duration freeIn) {
			return new Offer(0, 0, holder, freeIn);
		}

	}

	/**
	 * One server's part in the round.
	 */
	static final class Voter {

		final RedlockNode node;

		Said said = Said.UNASKED;

		@Nullable Offer offer;

		@Nullable StoreException failure;

		Voter(RedlockNode node) {
			this.node = node;
		}

		Offer offer() {
			Offer made = this.offer;
			if (made == null) {
				throw new IllegalStateException(this.node + " has made no offer");
			}
			return made;
		}

		long first() {
			return offer().first;
		}

		/**
		 * Tells whether the attempt may have the lock on this server.
		 */
		boolean mayHold() {
			return switch (this.said) {
				case UNASKED, NO -> false;
				case FAILED -> this.failure == null || this.failure.mayHaveExecuted();
				case NOTHING, YES, RAISING, STRAY, CONFIRMED, UNCONFIRMED -> true;
			};
		}

	}

}
