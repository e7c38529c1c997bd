package io.distributedlock.spring;

import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.Consumer;

import io.distributedlock.LockContext;
import io.distributedlock.LockException;
import io.distributedlock.LockLostException;
import io.distributedlock.LockOwner;
import io.distributedlock.LockRequest;
import io.distributedlock.LockTemplate;
import org.aopalliance.intercept.MethodInvocation;
import org.jspecify.annotations.Nullable;

/**
 * One call of an annotated method that returns a future.
 * <p>
 * The caller has the {@link #result} at once. Then, each step caused by the one before:
 * the lock (or the several of {@code lockAll}) is granted or not; the method begins, on a
 * thread of the executor; it returns the future of its work; that one completes; the lock
 * is released; the result completes. So there is never more than one thread in here, but
 * for one case: anybody may complete the result at any moment, above all by cancelling
 * it. That ends whatever goes on:
 * <ul>
 * <li>While it waits, the acquisition is cancelled. It is the engine that decides whether
 * the grant or the cancellation was first; a grant that was first arrives here, finds the
 * result complete, and is released.</li>
 * <li>While the method runs, its future is cancelled. The method publishes {@link #work}
 * and then looks at the result; who completes the result looks at {@link #work}
 * afterwards. So at least one of the two sees the other. The lock stays until that future
 * has completed, whatever it makes of the cancellation.</li>
 * </ul>
 */
final class FutureCall {

	private final LockOperation operation;

	private final MethodInvocation invocation;

	private final Executor executor;

	private final LockOwner owner;

	private final CompletableFuture<@Nullable Object> result = new CompletableFuture<>();

	private volatile @Nullable CompletionStage<?> work;

	FutureCall(LockOperation operation, MethodInvocation invocation, Executor executor) {
		this.operation = operation;
		this.invocation = invocation;
		this.executor = executor;
		LockOwner bound = LockContext.boundOwner();
		this.owner = (bound != null) ? bound : LockOwner.create(operation.location());
	}

	/**
	 * Begins the call.
	 * @return what the method returns to its caller
	 */
	CompletableFuture<@Nullable Object> start(LockTemplate locks, List<LockRequest> requests) {
		Acquiring acquiring = this.operation.locksSeveral() ? Acquiring.all(locks, requests, this.owner)
				: Acquiring.one(locks, requests.get(0), this.owner);
		this.result.whenComplete((value, thrown) -> {
			acquiring.cancel();
			cancelWork();
		});
		acquiring.whenComplete((held, thrown) -> {
			if (held != null) {
				granted(held);
			}
			else if (thrown != null && !this.result.isDone()) {
				execute(() -> refused(thrown), (rejected) -> this.result.completeExceptionally(thrown));
			}
		});
		return this.result;
	}

	private void granted(HeldLocks held) {
		execute(() -> run(held), (rejected) -> {
			held.releaseAsync();
			this.result.completeExceptionally(rejected);
		});
	}

	private void run(HeldLocks held) {
		if (this.result.isDone()) {
			held.releaseAsync();
			return;
		}
		CompletionStage<?> stage;
		LockContext.Scope scope = LockContext.bind(this.owner);
		try {
			stage = stage(this.invocation.proceed());
		}
		catch (Throwable ex) {
			ended(held, null, ex);
			return;
		}
		finally {
			scope.close();
		}
		follow(stage);
		stage.whenComplete((value, thrown) -> ended(held, value, thrown));
	}

	private void ended(HeldLocks held, @Nullable Object value, @Nullable Throwable thrown) {
		if (thrown == null && this.operation.keeps()) {
			Kept.ifHeld(held);
		}
		CompletableFuture<Boolean> released = held.releaseAsync().toCompletableFuture();
		if (released.isDone()) {
			finished(held, value, thrown);
		}
		else {
			// What the caller does with the result must not run on the engine's threads.
			Runnable finish = () -> finished(held, value, thrown);
			released.whenComplete((done, unexpected) -> execute(finish, (rejected) -> finish.run()));
		}
	}

	private void finished(HeldLocks held, @Nullable Object value, @Nullable Throwable thrown) {
		LockLostException lost = held.loss();
		if (thrown != null) {
			if (lost != null) {
				Losses.suppress(lost, cause(thrown));
			}
			this.result.completeExceptionally(thrown);
		}
		else if (lost != null) {
			this.result.completeExceptionally(lost);
		}
		else {
			this.result.complete(value);
		}
	}

	private void refused(Throwable failure) {
		try {
			if (failure instanceof LockException refusal && this.operation.fallback().answers(refusal)) {
				CompletionStage<?> stage = stage(this.operation.fallback()
					.answer(this.invocation.getThis(), this.invocation.getArguments(), refusal));
				follow(stage);
				stage.whenComplete((value, thrown) -> {
					if (thrown != null) {
						this.result.completeExceptionally(thrown);
					}
					else {
						this.result.complete(value);
					}
				});
			}
			else if (this.operation.skips(failure)) {
				this.result.complete(this.operation.skipResult());
			}
			else {
				this.result.completeExceptionally(failure);
			}
		}
		catch (Throwable ex) {
			this.result.completeExceptionally(ex);
		}
	}

	// A method that returns no future has nothing left to do.
	private static CompletionStage<?> stage(@Nullable Object returned) {
		return (returned != null) ? (CompletionStage<?>) returned : CompletableFuture.completedFuture(null);
	}

	private void follow(CompletionStage<?> stage) {
		this.work = stage;
		if (this.result.isDone()) {
			cancelWork();
		}
	}

	private void cancelWork() {
		CompletionStage<?> running = this.work;
		if (running != null) {
			try {
				running.toCompletableFuture().cancel(true);
			}
			catch (UnsupportedOperationException ex) {
				// This kind cannot be cancelled; the lock stays until it completes.
			}
		}
	}

	private void execute(Runnable task, Consumer<RejectedExecutionException> otherwise) {
		try {
			this.executor.execute(task);
		}
		catch (RejectedExecutionException ex) {
			otherwise.accept(ex);
		}
	}

	private static Throwable cause(Throwable thrown) {
		Throwable cause = thrown.getCause();
		return (thrown instanceof CompletionException && cause != null && !(cause instanceof CancellationException))
				? cause : thrown;
	}

}
