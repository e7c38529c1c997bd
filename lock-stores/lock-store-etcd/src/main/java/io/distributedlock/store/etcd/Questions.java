package io.distributedlock.store.etcd;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;

/**
 * Asks for things that may be asked twice, and asks again if no answer comes soon: one of
 * several servers may hang, and the client goes to the next one.
 * <p>
 * Few questions are repeated at a time: if many were, servers that are slow would become
 * slower. Whether an answer comes or not, the place of a question is free for another
 * after a while, since what a server that hangs was asked may stay without an answer for
 * ever.
 */
final class Questions {

	/** After this time without an answer it is asked again. */
	static final long STALLED = 100_000_000;

	private static final int TRIES = 3;

	private static final int MOST_REPEATED = 8;

	/** How long a question that was repeated keeps others from being repeated. */
	private static final long HANGING = 5 * STALLED;

	/** Nobody waits for an answer longer than that. */
	private static final long LONGEST = 20 * STALLED;

	private final Timers timers;

	private final AtomicInteger repeated = new AtomicInteger();

	Questions(Timers timers) {
		this.timers = timers;
	}

	/**
	 * Asks.
	 * @param question asks one of the servers
	 * @return the first answer, which never comes if all servers that were asked hang
	 */
	<T> CompletableFuture<T> insist(Supplier<CompletableFuture<T>> question) {
		CompletableFuture<T> answer = new CompletableFuture<>();
		ask(question, answer, TRIES, System.nanoTime() + LONGEST);
		return answer;
	}

	private <T> void ask(Supplier<CompletableFuture<T>> question, CompletableFuture<T> answer, int tries, long end) {
		CompletableFuture<T> asked;
		try {
			asked = question.get();
		}
		catch (RuntimeException ex) {
			asked = CompletableFuture.failedFuture(ex);
		}
		Future<?> again = (tries > 1) ? this.timers.after(STALLED, () -> repeat(question, answer, tries - 1, end))
				: null;
		asked.whenComplete((value, failure) -> {
			if (again != null) {
				again.cancel(false);
			}
			if (failure != null) {
				answer.completeExceptionally(failure);
			}
			else {
				answer.complete(value);
			}
		});
	}

	private <T> void repeat(Supplier<CompletableFuture<T>> question, CompletableFuture<T> answer, int tries, long end) {
		if (answer.isDone()) {
			return;
		}
		if (this.repeated.incrementAndGet() > MOST_REPEATED) {
			this.repeated.decrementAndGet();
			if (System.nanoTime() - end < 0) {
				this.timers.after(STALLED, () -> repeat(question, answer, tries, end));
			}
			return;
		}
		AtomicBoolean freed = new AtomicBoolean();
		Runnable free = () -> {
			if (freed.compareAndSet(false, true)) {
				this.repeated.decrementAndGet();
			}
		};
		Future<?> hanging = this.timers.after(HANGING, free);
		answer.whenComplete((value, failure) -> {
			hanging.cancel(false);
			free.run();
		});
		ask(question, answer, tries, end);
	}

}
