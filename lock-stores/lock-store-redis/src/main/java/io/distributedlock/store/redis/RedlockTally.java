package io.distributedlock.store.redis;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import java.util.function.Function;

import org.jspecify.annotations.Nullable;

import io.distributedlock.spi.StoreException;

/**
 * Counts what the servers say to one question, until what came decides it. Later answers
 * change nothing.
 *
 * @param <V> what one server says
 * @param <R> what all of them say together
 */
final class RedlockTally<V, R> {

	private final RedlockNodes nodes;

	private final String failedTo;

	private final Judge<V, R> judge;

	private final ReentrantLock mutex = new ReentrantLock();

	private final List<V> votes = new ArrayList<>();

	private final List<StoreException> failures = new ArrayList<>();

	private final CompletableFuture<R> result = new CompletableFuture<>();

	/**
	 * Makes an empty tally.
	 * @param nodes the servers that are asked
	 * @param failedTo what it means that nothing is decided in the end, for the message
	 * @param judge decides
	 */
	RedlockTally(RedlockNodes nodes, String failedTo, Judge<V, R> judge) {
		this.nodes = nodes;
		this.failedTo = failedTo;
		this.judge = judge;
	}

	/**
	 * Asks all servers.
	 * @param question how to ask one
	 * @param unanswered takes each of which there is no usable answer
	 * @return the decision
	 */
	CompletableFuture<R> ask(Function<RedlockNode, CompletableFuture<V>> question, Consumer<RedlockNode> unanswered) {
		for (RedlockNode node : this.nodes.all()) {
			this.nodes.ask(node, question).whenComplete((said, thrown) -> {
				if (thrown != null) {
					unanswered.accept(node);
				}
				vote(said, thrown);
			});
		}
		return this.result;
	}

	CompletableFuture<R> result() {
		return this.result;
	}

	void vote(@Nullable V said, @Nullable Throwable thrown) {
		R decision = null;
		StoreException outage = null;
		this.mutex.lock();
		try {
			if (said != null) {
				this.votes.add(said);
			}
			else {
				this.failures.add(RedlockNodes
					.failure((thrown != null) ? thrown : new IllegalStateException("there is no answer")));
			}
			if (!this.result.isDone()) {
				int pending = this.nodes.size() - this.votes.size() - this.failures.size();
				decision = this.judge.decide(this.votes, pending);
				if (decision == null && pending == 0) {
					outage = this.nodes.outage(this.failedTo, this.failures, !this.votes.isEmpty());
				}
			}
		}
		finally {
			this.mutex.unlock();
		}
		// Others act on it, so not under the mutex.
		if (decision != null) {
			this.result.complete(decision);
		}
		else if (outage != null) {
			this.result.completeExceptionally(outage);
		}
	}

	/**
	 * Decides.
	 *
	 * @param <V> what one server says
	 * @param <R> what all of them say together
	 */
	@FunctionalInterface
	interface Judge<V, R> {

		/**
		 * Decides after each answer.
		 * @param votes what those said that answered
		 * @param pending how many may still answer
		 * @return the decision, null if there is none (yet)
		 */
		@Nullable R decide(List<V> votes, int pending);

	}

}
