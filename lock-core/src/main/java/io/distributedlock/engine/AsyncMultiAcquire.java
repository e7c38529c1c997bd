package io.distributedlock.engine;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;

import io.distributedlock.Lease;
import io.distributedlock.LockLostException;
import io.distributedlock.LockOwner;
import io.distributedlock.MultiLease;
import org.jspecify.annotations.Nullable;

/**
 * Acquires several locks without blocking a thread, as {@link MultiPlan} says. Each step
 * begins when the one before has ended, on a thread of the engine, so that the plan is
 * used by one thread at a time.
 * <p>
 * Whoever has the result can cancel it at any moment, or complete it otherwise, such as
 * by {@link CompletableFuture#orTimeout}: the step under way is given up, and what it
 * still brings is given back with the rest, since completing the result then fails. A
 * step that has ended cannot be given up, so that nothing happens when the result is
 * completed here.
 */
final class AsyncMultiAcquire {

	private final LockEngine engine;

	private final Executor executor;

	private final MultiPlan plan;

	private final CompletableFuture<MultiLease> result = new CompletableFuture<>();

	private volatile @Nullable Runnable giveUp;

	AsyncMultiAcquire(LockEngine engine, LockOwner owner, List<Target> targets) {
		this.engine = engine;
		this.executor = engine.callbackExecutor();
		this.plan = new MultiPlan(engine, owner, targets);
	}

	CompletableFuture<MultiLease> start() {
		this.result.whenComplete((lease, thrown) -> {
			Runnable current = this.giveUp;
			if (current != null) {
				current.run();
			}
		});
		run(this.plan.next());
		return this.result;
	}

	private void run(MultiPlan.@Nullable Step step) {
		try {
			if (this.result.isDone()) {
				end(null);
			}
			else if (step == null) {
				lengthen(new ArrayList<>(this.plan.tooShort()));
			}
			else if (step.waits()) {
				await(step.targets().get(0));
			}
			else {
				tryAll(step.targets());
			}
		}
		catch (Throwable ex) {
			end(ex);
		}
	}

	private void await(Target target) {
		CompletableFuture<Lease> lease = new AsyncAcquire(this.engine, target.runtime(),
				target.request().withOwner(this.plan.owner), target.profile())
			.start();
		giveUpWith(() -> lease.cancel(false));
		lease.whenCompleteAsync((had, thrown) -> {
			if (had != null) {
				this.plan.held.add((LeaseHandle) had);
				run(this.plan.next());
			}
			else {
				end(Waits.cause((thrown != null) ? thrown : new IllegalStateException("No lease")));
			}
		}, this.executor);
	}

	private void tryAll(List<Target> targets) {
		BatchTry batch = new BatchTry(this.engine, this.plan.owner, targets);
		CompletableFuture<Void> decided = batch.start();
		giveUpWith(batch::cancel);
		decided.whenCompleteAsync((done, never) -> {
			List<CompletableFuture<Boolean>> discarded = new ArrayList<>();
			try {
				MultiPlan.Step next = this.plan.sorted(batch, discarded);
				run((next != null) ? next : this.plan.next());
			}
			catch (Throwable ex) {
				CompletableFuture.allOf(discarded.toArray(CompletableFuture<?>[]::new))
					.whenCompleteAsync((given, unknown) -> end(ex), this.executor);
			}
		}, this.executor);
	}

	private void giveUpWith(Runnable action) {
		this.giveUp = action;
		if (this.result.isDone()) {
			action.run();
		}
	}

	private void lengthen(List<LeaseHandle> tooShort) {
		if (tooShort.isEmpty()) {
			finish();
			return;
		}
		LeaseHandle lease = tooShort.remove(0);
		lease.hold.grant.gate.runtime().extend(lease, this.plan.storeTtl(lease)).whenCompleteAsync((done, thrown) -> {
			if (thrown == null) {
				lengthen(tooShort);
			}
			else {
				end(Waits.cause(thrown));
			}
		}, this.executor);
	}

	private void finish() {
		LockLostException loss = this.plan.loss();
		if (loss != null) {
			giveBack().whenCompleteAsync((done, never) -> {
				if (this.plan.isOver()) {
					end(loss);
				}
				else {
					run(this.plan.next());
				}
			}, this.executor);
		}
		else if (!this.result.complete(new LeaseGroup(this.plan.owner, this.plan.held))) {
			end(null);
		}
	}

	private CompletableFuture<Boolean> giveBack() {
		List<LeaseHandle> given = new ArrayList<>(this.plan.held);
		this.plan.held.clear();
		return LeaseGroup.releaseAllAsync(given);
	}

	/**
	 * Gives everything back, then fails the result if it has not been cancelled.
	 */
	private void end(@Nullable Throwable failure) {
		giveBack().whenCompleteAsync((done, never) -> {
			if (failure != null) {
				this.result.completeExceptionally(failure);
			}
		}, this.executor);
	}

}
