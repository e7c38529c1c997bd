package io.distributedlock.engine;

import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Future;

import io.distributedlock.Lease;
import io.distributedlock.LockContext;
import io.distributedlock.LockException;
import io.distributedlock.LockNotAcquiredException;
import io.distributedlock.LockNotAcquiredException.Reason;
import io.distributedlock.LockOwner;
import io.distributedlock.LockRequest;
import org.jspecify.annotations.Nullable;

/**
 * One acquisition that blocks nobody. The gate decides the fate of the {@link Waiter};
 * what the caller sees follows on a thread of the engine.
 * <p>
 * Whoever has the result can cancel it at any moment, or complete it otherwise, such as
 * by {@link CompletableFuture#orTimeout}. Either the waiter is cancelled first, then the
 * gate never grants it; or the grant came first, then completing the result fails and the
 * lease is released (rule E13).
 */
final class AsyncAcquire {

	private final LockEngine engine;

	private final StoreRuntime runtime;

	private final LockRequest request;

	private final Profile profile;

	private final LockOwner owner;

	private final CompletableFuture<LeaseHandle> fate = new CompletableFuture<>();

	private final CompletableFuture<Lease> result = new CompletableFuture<>();

	private final Waiter waiter;

	private volatile @Nullable Future<?> timeout;

	private volatile boolean waiting;

	private volatile @Nullable Future<?> suspicion;

	private volatile @Nullable LongWait suspected;

	AsyncAcquire(LockEngine engine, StoreRuntime runtime, LockRequest request, Profile profile) {
		this.engine = engine;
		this.runtime = runtime;
		this.request = request;
		this.profile = profile;
		LockOwner given = (request.owner() != null) ? request.owner() : LockContext.boundOwner();
		this.owner = (given != null) ? given : LockOwner.create("async");
		long now = engine.clock().now();
		this.waiter = Waiter.asynchronous(this.owner, given != null, profile, now,
				engine.options().commandTimeout(profile.ttl()) + LockEngine.GRACE, this.fate);
	}

	private boolean admitted() {
		return this.engine.isRunning() || this.engine.reenters(this.runtime, this.request.key(), this.owner);
	}

	CompletableFuture<Lease> start() {
		if (admitted()) {
			enter();
		}
		else {
			this.fate.completeExceptionally(refusal(Reason.SHUTTING_DOWN));
		}
		this.fate.whenCompleteAsync(this::decided, this.engine.callbackExecutor());
		return this.result;
	}

	private void enter() {
		KeyGate gate = this.runtime.enter(this.request.key(), this.waiter);
		if (this.waiter.isWaiting()) {
			this.waiting = true;
			this.engine.listeners().notify((listener) -> listener.onWaiting(this.request.key(), this.runtime.name()));
			// The gate itself refuses a caller that does not wait; this is for its
			// silence.
			long end = this.profile.waits() ? this.waiter.deadline : this.waiter.limit;
			this.timeout = this.engine.timers().schedule(() -> timedOut(gate), end - this.engine.clock().now());
			long suspicious = this.engine.deadlocks().suspiciousAt(this.waiter);
			if (suspicious != DeadlockDetector.NEVER) {
				this.suspicion = this.engine.timers()
					.schedule(() -> suspect(gate), suspicious - this.engine.clock().now());
			}
			if (!this.engine.isRunning() && this.waiter.cancel()) {
				gate.left(this.waiter);
				this.fate.completeExceptionally(refusal(Reason.SHUTTING_DOWN));
			}
		}
		this.result.whenComplete((lease, thrown) -> {
			// Who waits still has a result only if somebody else has completed it.
			if (this.waiter.cancel()) {
				gate.left(this.waiter);
				this.fate.cancel(false);
			}
		});
	}

	private void suspect(KeyGate gate) {
		if (this.waiter.isWaiting()) {
			LongWait wait = this.engine.deadlocks().suspect(this.runtime, gate, this.waiter);
			this.suspected = wait;
			// Its end may have come between the two.
			if (!this.waiter.isWaiting()) {
				this.engine.deadlocks().ended(wait);
			}
		}
	}

	private void trustAgain() {
		Future<?> pending = this.suspicion;
		if (pending != null) {
			pending.cancel(false);
		}
		LongWait wait = this.suspected;
		if (wait != null) {
			this.engine.deadlocks().ended(wait);
		}
	}

	private void timedOut(KeyGate gate) {
		if (!this.waiter.isWaiting()) {
			return;
		}
		LockException failure = gate.timedOut(this.waiter);
		if (failure != null) {
			this.fate.completeExceptionally(failure);
		}
		else if (this.waiter.isWaiting()) {
			// No answer yet: a refusal may come at any moment until the limit.
			this.timeout = this.engine.timers().schedule(() -> timedOut(gate), 5_000_000);
		}
	}

	private void decided(@Nullable LeaseHandle lease, @Nullable Throwable thrown) {
		Future<?> pending = this.timeout;
		if (pending != null) {
			pending.cancel(false);
		}
		trustAgain();
		if (this.waiting) {
			if (this.waiter.busy) {
				this.engine.hasWaited(this.request.key(), this.runtime, this.waiter.enteredAt);
			}
			this.engine.listeners()
				.notify((listener) -> listener.onWaitingEnded(this.request.key(), this.runtime.name()));
		}
		Duration waited = Duration.ofNanos(this.engine.clock().now() - this.waiter.enteredAt);
		if (lease != null) {
			granted(lease, waited);
			return;
		}
		Throwable failure = Waits.cause((thrown != null) ? thrown : new IllegalStateException("No lease"));
		this.engine.tellOfFailure(this.request.key(), this.runtime.name(), failure, waited);
		this.result.completeExceptionally(failure);
	}

	private void granted(LeaseHandle lease, Duration waited) {
		this.owner.opened(lease);
		if (!lease.isNested()) {
			this.engine.listeners().notify((listener) -> listener.onAcquired(lease, waited));
			complete(lease);
		}
		else if (!lease.wantsLonger(this.profile)) {
			complete(lease);
		}
		else {
			this.runtime.extend(lease, this.profile.storeTtl()).whenCompleteAsync((done, thrown) -> {
				if (thrown == null) {
					complete(lease);
				}
				else {
					lease.releaseAsync();
					this.result.completeExceptionally(Waits.cause(thrown));
				}
			}, this.engine.callbackExecutor());
		}
	}

	private void complete(LeaseHandle lease) {
		if (!this.result.complete(lease)) {
			lease.releaseAsync();
		}
	}

	private LockNotAcquiredException refusal(Reason reason) {
		return new LockNotAcquiredException(this.request.key(), reason, Duration.ZERO, "");
	}

}
