package io.distributedlock.store.redis;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;

import org.jspecify.annotations.Nullable;

import io.distributedlock.spi.AcquireCommand;
import io.distributedlock.spi.AcquireReply;
import io.distributedlock.spi.AttemptId;
import io.distributedlock.spi.StoreException;

/**
 * Asks a quorum for a grant, in one {@link Round} or, after a split vote, in a few.
 * <p>
 * A vote is split if nobody can have won it: some servers granted the lock to one, some
 * to another. If each then answered "taken", a caller that does not wait would be refused
 * a lock that nobody holds. So each takes back what it got, pauses for a random time, and
 * asks again, a few times and only while there is time. What is refused after that is up
 * to the engine, which asks again with jitter.
 * <p>
 * A vote that failed leaves nothing behind: what was granted, or may have been, is taken
 * back at once and as long as it takes, also from servers that answer later.
 */
final class RedlockAcquire {

	private static final int MOST_ROUNDS = 4;

	private static final long SHORTEST_PAUSE = 300_000;

	private static final long FIRST_PAUSE = 1_500_000;

	private final RedlockContext context;

	private final AcquireCommand command;

	private final long deadline;

	private final CompletableFuture<AcquireReply> result = new CompletableFuture<>();

	RedlockAcquire(RedlockContext context, AcquireCommand command) {
		this.context = context;
		this.command = command;
		this.deadline = System.nanoTime() + command.timeout().toNanos();
	}

	CompletableFuture<AcquireReply> start() {
		round(0);
		return this.result;
	}

	private void round(int number) {
		this.context.attempts().keep(this.command.attempt(), this.command.ttl());
		AttemptId id = this.context.attempts().current(this.command.attempt());
		Round round = new Round(id, number);
		this.context.attempts().opened(round);
		long now = System.nanoTime();
		// Half of the time is left for the second step.
		round.start(now + (this.deadline - now) / 2);
	}

	/**
	 * One vote.
	 */
	final class Round extends RedlockRound {

		private final int number;

		private final long startedAt = System.nanoTime();

		private boolean ended;

		Round(AttemptId id, int number) {
			super(RedlockAcquire.this.context.nodes(), RedlockAcquire.this.command.key(), id,
					RedlockAcquire.this.command.ttl(), RedlockAcquire.this.deadline);
			this.number = number;
		}

		@Override
		CompletableFuture<Offer> ask(RedlockNode node, long until) {
			AcquireCommand asked = RedlockAcquire.this.command;
			return node
				.acquire(new AcquireCommand(asked.key(), attempt(), asked.ttl(), asked.tokens(),
						asked.repeated() || this.number > 0, asked.timeout()), until)
				.thenApply((reply) -> {
					if (reply instanceof AcquireReply.Granted granted) {
						return Offer.of(granted.firstToken(), granted.tokens());
					}
					AcquireReply.Refused refused = (AcquireReply.Refused) reply;
					return Offer.none(refused.holder(), refused.freeIn());
				});
		}

		@Override
		long firstToWrite(long first) {
			return first;
		}

		@Override
		void agreed(long first, int tokens) {
			settleIfDone();
			if (RedlockContext.isOver(this.startedAt, ttl())) {
				fail();
				giveUp(nodes().outage("The servers agreed too late for the lock's ttl of " + ttl().toMillis() + " ms",
						failures(), true));
				return;
			}
			RedlockAcquire.this.context.attempts().keep(RedlockAcquire.this.command.attempt(), ttl());
			then(() -> RedlockAcquire.this.result.complete(new AcquireReply.Granted(first, tokens)));
		}

		@Override
		void impossible() {
			if (nodes().preventQuorum(count(Said.FAILED))) {
				giveUp(nodes().outage("The lock could not be acquired", failures(), false));
				return;
			}
			boolean split = isSplit();
			AcquireReply.Refused refused = new AcquireReply.Refused(holder(), freeIn(), false);
			takeBack();
			then(() -> {
				if (!split || !againLater(this.number + 1)) {
					RedlockAcquire.this.result.complete(refused);
				}
			});
		}

		@Override
		void unconfirmed() {
			giveUp(nodes().outage("The lock's fencing token could not be confirmed", failures(), true));
		}

		private void giveUp(StoreException failure) {
			boolean traces = takeBack();
			StoreException told = (traces && !failure.mayHaveExecuted())
					? new StoreException(failure.getMessage(), true, failure.isRetryable(), failure.getCause())
					: failure;
			then(() -> RedlockAcquire.this.result.completeExceptionally(told));
		}

		/**
		 * Takes back what the servers have granted or may have.
		 * @return whether there is or may be something
		 */
		private boolean takeBack() {
			boolean traces = false;
			for (Voter voter : voters()) {
				if (voter.mayHold()) {
					traces = true;
					if (voter.said != Said.NOTHING) {
						takeBack(voter);
					}
				}
			}
			if (traces) {
				RedlockAcquire.this.context.attempts().replace(RedlockAcquire.this.command.attempt());
			}
			settleIfDone();
			return traces;
		}

		private void takeBack(Voter voter) {
			then(() -> RedlockAcquire.this.context.sweeper(voter.node).takeBack(key(), attempt(), ttl()));
		}

		@Override
		void late(Voter voter) {
			if ((hasFailed() || this.ended) && voter.mayHold()) {
				takeBack(voter);
			}
			settleIfDone();
		}

		/**
		 * The grant is given back.
		 */
		void end() {
			transition(() -> this.ended = true);
		}

		private void settleIfDone() {
			if (hasAllAnswers()) {
				RedlockAcquire.this.context.attempts().settled(this);
			}
		}

		/**
		 * Tells whether no one holder can have a quorum.
		 */
		private boolean isSplit() {
			return holders().values().stream().mapToInt(Integer::intValue).max().orElse(0)
					+ count(Said.FAILED) < nodes().quorum();
		}

		private Map<String, Integer> holders() {
			Map<String, Integer> holders = new HashMap<>();
			for (Voter voter : voters()) {
				if (voter.said == Said.NO) {
					String holder = voter.offer().holder();
					holders.merge((holder != null) ? holder : "", 1, Integer::sum);
				}
			}
			return holders;
		}

		private @Nullable String holder() {
			return holders().entrySet()
				.stream()
				.max(Map.Entry.comparingByValue())
				.map(Map.Entry::getKey)
				.filter((holder) -> !holder.isEmpty())
				.orElse(null);
		}

		/**
		 * Returns when so many servers are free that a quorum is, as far as they have
		 * said it.
		 */
		private Duration freeIn() {
			List<Duration> times = new ArrayList<>();
			for (Voter voter : voters()) {
				if (voter.said == Said.NO) {
					times.add(voter.offer().freeIn());
				}
				else if (voter.said != Said.FAILED) {
					times.add(Duration.ZERO);
				}
			}
			Collections.sort(times);
			return times.get(Math.min(nodes().quorum(), times.size()) - 1);
		}

	}

	/**
	 * Asks again after a random pause, if there is time.
	 */
	private boolean againLater(int number) {
		long pause = ThreadLocalRandom.current().nextLong(SHORTEST_PAUSE, FIRST_PAUSE << number);
		if (number >= MOST_ROUNDS || this.deadline - System.nanoTime() < 4 * pause) {
			return false;
		}
		try {
			this.context.timer().schedule(() -> round(number), pause, TimeUnit.NANOSECONDS);
			return true;
		}
		catch (RejectedExecutionException ex) {
			return false;
		}
	}

}
