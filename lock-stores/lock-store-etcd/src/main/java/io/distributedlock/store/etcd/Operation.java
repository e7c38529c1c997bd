package io.distributedlock.store.etcd;

import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Future;
import java.util.function.Consumer;
import java.util.function.Function;

import io.etcd.jetcd.ByteSequence;
import io.etcd.jetcd.kv.TxnResponse;
import io.etcd.jetcd.op.Op;
import io.etcd.jetcd.options.GetOption;
import org.jspecify.annotations.Nullable;

import io.distributedlock.LockKey;
import io.distributedlock.spi.StoreException;

/**
 * One command under way: a number of requests, each of which depends on the answer to the
 * one before. It ends with a result, a {@link StoreException}, or its timeout.
 *
 * @param <R> type of the result
 */
abstract class Operation<R> extends CompletableFuture<R> {

	final Context context;

	final LockKey key;

	final long deadline;

	private @Nullable Future<?> timer;

	private volatile @Nullable Request request;

	Operation(Context context, LockKey key, Duration timeout) {
		this.context = context;
		this.key = key;
		this.deadline = System.nanoTime() + timeout.toNanos();
	}

	Operation<R> start() {
		this.context.underWay().add(this);
		whenComplete((result, failure) -> this.context.underWay().remove(this));
		this.timer = this.context.timers().at(this.deadline, this::timeOut);
		attempt(this::step);
		return this;
	}

	/**
	 * Does the next step from what is known.
	 */
	abstract void step();

	/**
	 * Called when the operation ends without an answer.
	 * @param sent whether a request may still be executed
	 */
	void unanswered(boolean sent) {
	}

	ByteSequence record() {
		return this.context.layout().record(this.key.id());
	}

	ByteSequence queue() {
		return this.context.layout().queue(this.key.id());
	}

	ByteSequence ownEntry() {
		return this.context.layout().entry(this.key.id(), this.context.instance());
	}

	/**
	 * Returns the time that is left for what this operation leaves to another one.
	 */
	final Duration timeLeft() {
		return Duration.ofNanos(Math.max(0, this.deadline - System.nanoTime()));
	}

	/**
	 * Runs a part of the operation, unless it has ended.
	 */
	final void attempt(Runnable part) {
		if (isDone()) {
			return;
		}
		try {
			part.run();
		}
		catch (StoreException ex) {
			fail(ex);
		}
		catch (RuntimeException ex) {
			fail(new StoreException("The etcd lock store failed unexpectedly: " + ex, true, false, ex));
		}
	}

	final void succeed(R result) {
		stopTimer();
		complete(result);
	}

	/**
	 * A request of this operation failed.
	 */
	void failed(StoreException failure) {
		fail(failure);
	}

	final void fail(StoreException failure) {
		stopTimer();
		if (!isDone()) {
			unanswered(failure.mayHaveExecuted());
		}
		completeExceptionally(failure);
	}

	private void stopTimer() {
		Future<?> running = this.timer;
		if (running != null) {
			running.cancel(false);
		}
	}

	private void timeOut() {
		giveUp(this.context.errors()::timedOut);
	}

	/**
	 * Ends the operation without an answer, since the store is closed.
	 */
	final void close() {
		stopTimer();
		giveUp(this.context.errors()::closed);
	}

	private void giveUp(Function<Boolean, StoreException> failure) {
		if (isDone()) {
			return;
		}
		Request last = this.request;
		boolean sent = last != null && !last.cancel();
		unanswered(sent);
		completeExceptionally(failure.apply(sent));
	}

	/**
	 * Makes a request of this operation.
	 */
	final Request request(Consumer<Request.Answer> onAnswer) {
		return new Request(this.deadline, (answer) -> {
			// It stays the latest request: if the timeout meets the answer, it was sent.
			attempt(() -> accept(answer, onAnswer));
		}, this::failed);
	}

	private static void accept(Request.Answer answer, Consumer<Request.Answer> onAnswer) {
		try {
			onAnswer.accept(answer);
		}
		catch (StoreException ex) {
			if (answer.succeeded() && !ex.mayHaveExecuted()) {
				throw new StoreException(ex.getMessage(), true, ex.isRetryable(), ex);
			}
			throw ex;
		}
	}

	final void submit(Request next) {
		this.request = next;
		if (isDone()) {
			next.cancel();
		}
		this.context.transactions().submit(next);
	}

	final void read(Consumer<TxnResponse> next, Op... reads) {
		this.context.transactions().read(reads).whenComplete((answer, failure) -> attempt(() -> {
			if (failure != null) {
				throw this.context.errors().translateRead(failure);
			}
			next.accept(answer);
		}));
	}

	/**
	 * Reads the lock's record and the first of its queue.
	 */
	final void readLock(Consumer<LockView> next) {
		read((answer) -> next.accept(LockView.of(answer.getGetResponses().get(0), answer.getGetResponses().get(1))),
				Op.get(record(), GetOption.DEFAULT), Request.readFirst(queue()));
	}

}
