package io.distributedlock.engine;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;

import io.distributedlock.LockLostException;
import io.distributedlock.LockNotAcquiredException.Reason;
import io.distributedlock.LockOwner;
import org.jspecify.annotations.Nullable;

/**
 * Acquires several locks on the calling thread, as {@link MultiPlan} says. Whatever ends
 * it early, what it has is given back before it throws.
 */
final class MultiAcquire {

	private final LockEngine engine;

	private final MultiPlan plan;

	MultiAcquire(LockEngine engine, LockOwner owner, List<Target> targets) {
		this.engine = engine;
		this.plan = new MultiPlan(engine, owner, targets);
	}

	LeaseGroup run() {
		boolean complete = false;
		try {
			if (Thread.currentThread().isInterrupted()) {
				throw this.plan.refusal(this.plan.targets.get(0), Reason.INTERRUPTED);
			}
			while (!isComplete()) {
				takeRest();
			}
			complete = true;
			return new LeaseGroup(this.plan.owner, this.plan.held);
		}
		finally {
			if (!complete) {
				LeaseGroup.releaseAll(this.plan.held);
			}
		}
	}

	private boolean isComplete() {
		if (this.plan.held.size() < this.plan.targets.size()) {
			return false;
		}
		for (LeaseHandle lease : this.plan.tooShort()) {
			Waits.get(lease.hold.grant.gate.runtime().extend(lease, this.plan.storeTtl(lease)));
		}
		LockLostException loss = this.plan.loss();
		if (loss == null) {
			return true;
		}
		if (this.plan.isOver()) {
			throw loss;
		}
		LeaseGroup.releaseAll(this.plan.held);
		this.plan.held.clear();
		return false;
	}

	private void takeRest() {
		MultiPlan.Step step = this.plan.next();
		while (step != null) {
			if (step.waits()) {
				await(step.targets().get(0));
				step = this.plan.next();
			}
			else {
				MultiPlan.Step next = tryAll(step.targets());
				step = (next != null) ? next : this.plan.next();
			}
		}
	}

	private void await(Target target) {
		Ahead ahead = ahead();
		try {
			had(new BlockingAcquire(this.engine, target.runtime(), target.request(), target.profile(), ahead));
		}
		catch (Throwable ex) {
			Ahead.Entered entered = (ahead != null) ? ahead.claim() : null;
			if (entered != null) {
				entered.leave();
			}
			throw ex;
		}
		Ahead.Entered entered = (ahead != null) ? ahead.claim() : null;
		if (entered != null) {
			had(new BlockingAcquire(this.engine, entered));
		}
	}

	private @Nullable Ahead ahead() {
		int next = this.plan.held.size() + 1;
		return (next < this.plan.targets.size()) ? new Ahead(this.plan, next) : null;
	}

	private void had(BlockingAcquire acquire) {
		this.plan.held.add((LeaseHandle) acquire.run());
	}

	private MultiPlan.@Nullable Step tryAll(List<Target> targets) {
		BatchTry batch = new BatchTry(this.engine, this.plan.owner, targets);
		batch.start();
		boolean interrupted = !batch.await();
		List<CompletableFuture<Boolean>> discarded = new ArrayList<>();
		MultiPlan.Step next;
		boolean failed = true;
		try {
			next = this.plan.sorted(batch, discarded);
			failed = interrupted || this.plan.isOver();
		}
		finally {
			if (failed) {
				// Nothing may be left when the caller learns of it.
				discarded.forEach(Waits::get);
			}
		}
		if (interrupted) {
			throw this.plan.refusal(targets.get(0), Reason.INTERRUPTED);
		}
		return next;
	}

}
