package io.distributedlock.engine;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;

import io.distributedlock.LockContext;
import io.distributedlock.LockOwner;
import org.jspecify.annotations.Nullable;

/**
 * The next of several locks, asked for at the moment in which the one before it is
 * granted, by the thread that grants it. The caller sleeps then, and others wait for the
 * lock that it holds; that it has to be woken should not make them wait longer.
 * <p>
 * Either the granting thread {@linkplain #run takes the step}, or the caller, awake by
 * then, {@linkplain #claim claims it} for itself: one compare-and-set decides. A caller
 * that finds the step taken waits at the gate that was entered for it, or leaves it. The
 * granting thread takes the lock before on behalf of the caller first
 * ({@link Waiter#deliver}), so that it cannot be put back in line: nobody may hold a lock
 * and wait for a smaller one.
 */
final class Ahead implements Runnable {

	private final MultiPlan plan;

	private final int index;

	private final Thread caller = Thread.currentThread();

	private final boolean ownerIsBound = LockContext.boundOwner() != null;

	private final AtomicBoolean begun = new AtomicBoolean();

	/** Completes with null if the caller has to take the step itself. */
	private final CompletableFuture<@Nullable Entered> outcome = new CompletableFuture<>();

	/**
	 * Makes the step.
	 * @param plan the caller's plan
	 * @param index which of its locks
	 */
	Ahead(MultiPlan plan, int index) {
		this.plan = plan;
		this.index = index;
	}

	/**
	 * A caller at the gate of its next lock.
	 *
	 * @param target the lock
	 * @param waiter the caller
	 * @param gate the gate
	 */
	record Entered(Target target, Waiter waiter, KeyGate gate) {

		/** The caller does not want the lock any more. */
		void leave() {
			while (!this.waiter.cancel()) {
				// Between the two it may be put back in line.
				if (this.waiter.settled()) {
					if (this.waiter.state() == Waiter.State.TAKEN) {
						Waits.get(this.waiter.lease().discard());
					}
					return;
				}
			}
			this.gate.left(this.waiter);
		}

	}

	/** Takes the step, on the thread that has granted the lock before. */
	@Override
	public void run() {
		if (!this.begun.compareAndSet(false, true)) {
			return;
		}
		Entered entered = null;
		try {
			entered = enter();
		}
		finally {
			this.outcome.complete(entered);
		}
	}

	private @Nullable Entered enter() {
		MultiPlan.Step step = this.plan.after(this.index);
		LockEngine engine = this.plan.engine;
		if (step == null || !step.waits() || !engine.isRunning()) {
			return null;
		}
		Target target = step.targets().get(0);
		LockOwner owner = this.plan.owner;
		boolean sharesOwner = this.ownerIsBound || target.request().owner() != null;
		Waiter waiter = Waiter.blocking(this.caller, owner, sharesOwner, target.profile(), engine.clock().now(),
				engine.options().commandTimeout(target.profile().ttl()) + LockEngine.GRACE, null);
		try {
			return new Entered(target, waiter, target.runtime().enter(target.key(), waiter));
		}
		catch (RuntimeException ex) {
			// The caller meets the same, and knows better what to do with it.
			waiter.cancel();
			return null;
		}
	}

	/**
	 * Returns what was entered meanwhile; null if the caller has to take the step itself.
	 */
	@Nullable Entered claim() {
		return this.begun.compareAndSet(false, true) ? null : Waits.get(this.outcome);
	}

}
