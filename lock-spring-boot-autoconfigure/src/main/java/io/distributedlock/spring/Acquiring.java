package io.distributedlock.spring;

import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.function.BiConsumer;

import io.distributedlock.Lease;
import io.distributedlock.LockOwner;
import io.distributedlock.LockRequest;
import io.distributedlock.LockTemplate;
import io.distributedlock.MultiLease;
import org.jspecify.annotations.Nullable;

/**
 * An acquisition of one lock or of several that count as one, which blocks no thread.
 * <p>
 * It keeps the engine's own future, since cancelling one that was derived from it would
 * not reach the engine. That future has two outcomes only when it is cancelled: it was
 * cancelled, then the engine withdraws the request and gives back what it granted; or it
 * had completed, then its leases are there for whoever ends the acquisition.
 */
final class Acquiring {

	private final CompletableFuture<?> future;

	private Acquiring(CompletableFuture<?> future) {
		this.future = future;
	}

	/**
	 * Begins to acquire one lock.
	 */
	static Acquiring one(LockTemplate locks, LockRequest request, LockOwner owner) {
		return new Acquiring(locks.acquireAsync(request.withOwner(owner)));
	}

	/**
	 * Begins to acquire several locks, all or none.
	 */
	static Acquiring all(LockTemplate locks, List<LockRequest> requests, LockOwner owner) {
		return new Acquiring(
				locks.acquireAllAsync(requests.stream().map((request) -> request.withOwner(owner)).toList()));
	}

	/**
	 * Says what to do with the locks, or with what kept the caller from having them.
	 */
	void whenComplete(BiConsumer<? super @Nullable HeldLocks, ? super @Nullable Throwable> action) {
		this.future.whenComplete((had, thrown) -> action.accept(held(had), (thrown != null) ? cause(thrown) : null));
	}

	/**
	 * Gives up.
	 */
	void cancel() {
		this.future.cancel(false);
	}

	/**
	 * Gives up, unless the locks are had already.
	 * @return the locks, for the caller to release, or null if they were not had
	 */
	@Nullable HeldLocks end() {
		return (this.future.cancel(false) || this.future.isCompletedExceptionally()) ? null
				: held(this.future.getNow(null));
	}

	private static @Nullable HeldLocks held(@Nullable Object had) {
		if (had instanceof MultiLease all) {
			return new HeldLocks.Several(all);
		}
		return (had instanceof Lease lease) ? new HeldLocks.One(lease) : null;
	}

	private static Throwable cause(Throwable thrown) {
		Throwable cause = thrown.getCause();
		return (thrown instanceof CompletionException && cause != null) ? cause : thrown;
	}

}
