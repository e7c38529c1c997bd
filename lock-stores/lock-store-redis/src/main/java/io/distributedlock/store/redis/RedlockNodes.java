package io.distributedlock.store.redis;

import java.util.Collection;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.function.Function;
import java.util.stream.Collectors;

import io.distributedlock.spi.StoreException;

/**
 * The servers of a Redlock, and what a majority of them is.
 *
 * @param all all of them, also those that cannot be reached
 * @param nodeTimeout in nanoseconds, how long one of them may take to answer
 */
record RedlockNodes(List<RedlockNode> all, long nodeTimeout) {

	private static final int MOST_QUOTED = 3;

	int size() {
		return this.all.size();
	}

	/**
	 * Returns how many have to agree, so that any two agreements have one in common.
	 */
	int quorum() {
		return this.all.size() / 2 + 1;
	}

	/**
	 * Tells whether so many differ that no quorum can agree any more.
	 */
	boolean preventQuorum(int differing) {
		return differing > size() - quorum();
	}

	/**
	 * Returns by when one server has to answer.
	 * @param now when it is asked
	 * @param limit when its answer is of no use any more
	 */
	long deadline(long now, long limit) {
		return (limit - now < this.nodeTimeout) ? limit : now + this.nodeTimeout;
	}

	/**
	 * Asks a server, unless it has been silent. A silent one is asked by one command at a
	 * time, so that it costs its timeout once and not every caller; or by all, if too few
	 * are not silent: then the trouble may be on this side.
	 */
	<R> CompletableFuture<R> ask(RedlockNode node, Function<RedlockNode, CompletableFuture<R>> question) {
		return askAll(node, 1, (asked) -> List.of(question.apply(asked))).get(0);
	}

	/**
	 * Asks a server several things at once, in the same way.
	 */
	<R> List<CompletableFuture<R>> askAll(RedlockNode node, int count,
			Function<RedlockNode, List<CompletableFuture<R>>> questions) {
		if (isLeftOut(node)) {
			return Collections.nCopies(count, CompletableFuture.failedFuture(node.leftOut()));
		}
		try {
			return questions.apply(node);
		}
		catch (RuntimeException | Error ex) {
			// The others have to be asked all the same, and this one again.
			node.endProbe();
			return Collections.nCopies(count, CompletableFuture.failedFuture(ex));
		}
	}

	boolean isLeftOut(RedlockNode node) {
		if (!node.isSilent()) {
			return false;
		}
		int heard = 0;
		for (RedlockNode each : this.all) {
			if (!each.isSilent()) {
				heard++;
			}
		}
		return heard >= quorum() && !node.mayProbe();
	}

	/**
	 * Makes the exception for too few usable answers.
	 * @param what what could not be done
	 * @param failures what those said that failed
	 * @param mayHaveExecuted whether some may have done it
	 */
	StoreException outage(String what, Collection<StoreException> failures, boolean mayHaveExecuted) {
		long forGood = failures.stream().filter((failure) -> !failure.isRetryable()).count();
		String quoted = failures.stream()
			.map(Throwable::getMessage)
			.distinct()
			.limit(MOST_QUOTED)
			.collect(Collectors.joining(" | "));
		return new StoreException(
				what + ": " + failures.size() + " of the " + size() + " Redlock servers gave no usable answer, and "
						+ quorum() + " have to agree. " + quoted,
				mayHaveExecuted || failures.stream().anyMatch(StoreException::mayHaveExecuted),
				!preventQuorum((int) forGood), failures.stream().findFirst().orElse(null));
	}

	/**
	 * Returns a failure of a server's stage as the exception that it should be.
	 */
	static StoreException failure(Throwable thrown) {
		Throwable cause = (thrown instanceof CompletionException && thrown.getCause() != null) ? thrown.getCause()
				: thrown;
		return (cause instanceof StoreException known) ? known
				: new StoreException("A Redlock server could not be asked: " + cause, true, true, cause);
	}

	/**
	 * Names them.
	 */
	String addresses() {
		return this.all.stream().map(RedlockNode::address).collect(Collectors.joining(", "));
	}

}
