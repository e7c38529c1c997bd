package io.distributedlock.engine;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;

import io.distributedlock.LockNotAcquiredException;
import io.distributedlock.LockNotAcquiredException.Reason;
import io.distributedlock.LockOwner;
import org.jspecify.annotations.Nullable;

/**
 * One try for several locks at once, without waiting for any of them: a caller enters the
 * gates of all keys, and what they ask of a store goes out as one batch. Each key is
 * decided for itself.
 * <p>
 * The callers that enter the gates are asynchronous ones, also if a thread waits for the
 * outcome: it wakes once, when the last one is decided. Each of them ends, since a caller
 * that does not wait gets the first answer, or leaves at its limit.
 */
final class BatchTry {

	private static final long LATE = 5_000_000;

	private final LockEngine engine;

	private final LockOwner owner;

	private final List<Part> parts;

	private final CompletableFuture<Void> decided = new CompletableFuture<>();

	private final AtomicInteger open;

	private volatile @Nullable Future<?> timeout;

	BatchTry(LockEngine engine, LockOwner owner, List<Target> targets) {
		this.engine = engine;
		this.owner = owner;
		this.open = new AtomicInteger(targets.size());
		this.parts = new ArrayList<>(targets.size());
		long now = engine.clock().now();
		for (Target target : targets) {
			this.parts.add(new Part(target.withWait(0), now));
		}
	}

	List<Part> parts() {
		return this.parts;
	}

	/**
	 * Enters the gates.
	 * @return completes, never exceptionally, when each part is decided; perhaps on the
	 * store's thread
	 */
	CompletableFuture<Void> start() {
		StoreBatch.collect(() -> this.parts.forEach(Part::enter));
		if (!this.decided.isDone()) {
			long limit = 0;
			for (Part part : this.parts) {
				limit = Math.max(limit, part.waiter.limit - part.waiter.enteredAt);
			}
			this.timeout = this.engine.timers().schedule(this::timedOut, limit);
		}
		return this.decided;
	}

	/**
	 * Waits until each part is decided, or the thread is interrupted: then those that are
	 * not are cancelled, and the flag is set again.
	 * @return false if the thread was interrupted
	 */
	boolean await() {
		try {
			this.decided.get();
			return true;
		}
		catch (InterruptedException ex) {
			cancel();
			Waits.get(this.decided);
			Thread.currentThread().interrupt();
			return false;
		}
		catch (ExecutionException ex) {
			throw new IllegalStateException("Unexpected failure", ex.getCause());
		}
	}

	/** Gives up what is not decided. */
	void cancel() {
		StoreBatch.collect(() -> this.parts.forEach(Part::cancel));
	}

	private void timedOut() {
		for (Part part : this.parts) {
			part.timedOut();
		}
		if (!this.decided.isDone()) {
			this.timeout = this.engine.timers().schedule(this::timedOut, LATE);
		}
	}

	private void decided() {
		if (this.open.decrementAndGet() == 0) {
			Future<?> pending = this.timeout;
			if (pending != null) {
				pending.cancel(false);
			}
			this.decided.complete(null);
		}
	}

	/**
	 * One lock of the batch.
	 */
	final class Part {

		final Target target;

		private final CompletableFuture<LeaseHandle> fate = new CompletableFuture<>();

		private final Waiter waiter;

		private volatile @Nullable KeyGate gate;

		Part(Target target, long now) {
			this.target = target;
			this.waiter = Waiter.asynchronous(BatchTry.this.owner, true, target.profile(), now,
					BatchTry.this.engine.options().commandTimeout(target.profile().ttl()) + LockEngine.GRACE,
					this.fate);
			this.fate.whenComplete((lease, thrown) -> decided());
		}

		private void enter() {
			if (admitted()) {
				try {
					this.gate = this.target.runtime().enter(this.target.key(), this.waiter);
				}
				catch (RuntimeException ex) {
					// Bad input, such as an upgrade. The others have to be decided.
					this.waiter.cancel();
					this.fate.completeExceptionally(ex);
				}
			}
			else if (this.waiter.cancel()) {
				this.fate.completeExceptionally(refusal(Reason.SHUTTING_DOWN));
			}
		}

		private boolean admitted() {
			LockEngine engine = BatchTry.this.engine;
			return engine.isRunning() || engine.reenters(this.target.runtime(), this.target.key(), BatchTry.this.owner);
		}

		private void cancel() {
			KeyGate entered = this.gate;
			if (this.waiter.cancel()) {
				if (entered != null) {
					entered.left(this.waiter);
				}
				this.fate.completeExceptionally(refusal(Reason.INTERRUPTED));
			}
		}

		private void timedOut() {
			KeyGate entered = this.gate;
			if (entered != null && this.waiter.isWaiting()) {
				Throwable failure = entered.timedOut(this.waiter);
				if (failure != null) {
					this.fate.completeExceptionally(failure);
				}
			}
		}

		/** Returns the lease, null if there is none. Only when decided. */
		@Nullable LeaseHandle lease() {
			return this.fate.isCompletedExceptionally() ? null : this.fate.getNow(null);
		}

		/** Returns why there is no lease, null if there is one. Only when decided. */
		@Nullable Throwable failure() {
			return this.fate.handle((lease, thrown) -> (thrown != null) ? Waits.cause(thrown) : null).getNow(null);
		}

		Duration waited() {
			return Duration.ofNanos(BatchTry.this.engine.clock().now() - this.waiter.enteredAt);
		}

		private LockNotAcquiredException refusal(Reason reason) {
			return new LockNotAcquiredException(this.target.key(), reason, waited(), "");
		}

	}

}
