package io.distributedlock.engine;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;

import io.distributedlock.LeaseState;
import io.distributedlock.LockException;
import io.distributedlock.LockKey;
import io.distributedlock.LockLostException;
import io.distributedlock.LockNotAcquiredException;
import io.distributedlock.LockNotAcquiredException.Reason;
import io.distributedlock.LockOwner;
import io.distributedlock.LockStoreException;
import io.distributedlock.spi.StoreException;
import org.jspecify.annotations.Nullable;

/**
 * How one caller comes to hold several locks (rule S5), without the waiting itself, which
 * {@link MultiAcquire} and {@link AsyncMultiAcquire} do in their own ways.
 * <p>
 * The locks are sorted, and what is held is always a prefix of them whenever the caller
 * waits. So a caller that waits for a lock holds only smaller ones; around a cycle of
 * callers that wait for each other the locks would have to grow all the way, and so there
 * is none. Locks after the one that is waited for may be held for the time of one store
 * answer, in which nobody waits.
 * <p>
 * The next step takes the longest run of locks that nobody in this JVM has anything to do
 * with, all at once and without waiting. If one of them is refused, those before it stay,
 * those after it are given back, and the caller waits at this one. A lock that has
 * callers here is waited for alone: they hand it on to each other without the store, and
 * a try that does not wait would only be refused (ADR 0026).
 * <p>
 * A lock that was lost while another was waited for does not count: nothing ran under it.
 * All are given back and taken again, as long as there is wait time.
 */
final class MultiPlan {

	final LockEngine engine;

	final LockOwner owner;

	final List<Target> targets;

	/** The prefix that is held. Used by one thread at a time. */
	final List<LeaseHandle> held;

	private final long waitTime;

	private final long startedAt;

	private final long deadline;

	MultiPlan(LockEngine engine, LockOwner owner, List<Target> targets) {
		this.engine = engine;
		this.owner = owner;
		this.targets = targets;
		this.held = new ArrayList<>(targets.size());
		this.waitTime = targets.stream().mapToLong((target) -> target.profile().waitTime()).min().orElse(0);
		this.startedAt = engine.clock().now();
		this.deadline = Clock.plus(this.startedAt, this.waitTime);
	}

	/**
	 * One step: either several locks at once, or one that is waited for.
	 *
	 * @param targets which ones
	 * @param waits whether to wait for the only one
	 */
	record Step(List<Target> targets, boolean waits) {
	}

	/**
	 * Returns what to do next, or null if all is held.
	 */
	@Nullable Step next() {
		return after(this.held.size());
	}

	/** Returns what to do when as many locks are held. For any thread. */
	@Nullable Step after(int from) {
		if (from == this.targets.size()) {
			return null;
		}
		if (isOver()) {
			return new Step(this.targets.subList(from, this.targets.size()), false);
		}
		int to = from;
		while (to < this.targets.size() && isFreeHere(this.targets.get(to))) {
			to++;
		}
		if (to - from > 1) {
			return new Step(this.targets.subList(from, to), false);
		}
		return waitFor(this.targets.get(from));
	}

	private Step waitFor(Target target) {
		return new Step(List.of(target.withWait(Math.max(1, this.deadline - this.engine.clock().now()))), true);
	}

	private boolean isFreeHere(Target target) {
		return target.profile().isAlone() && target.runtime().gate(target.key().id()) == null
				|| this.engine.reenters(target.runtime(), target.key(), this.owner);
	}

	/** Tells whether the wait time is over. */
	boolean isOver() {
		return this.engine.clock().now() >= this.deadline;
	}

	/**
	 * Looks at the outcome of a try for several locks. What comes after the first one
	 * that was not had is given back.
	 * @param discarded takes the outcomes of what is given back
	 * @return where to wait, or null if all were had or the next step begins anew
	 * @throws LockException if the first failure ends the whole
	 */
	@Nullable Step sorted(BatchTry ended, List<CompletableFuture<Boolean>> discarded) {
		Throwable first = null;
		Target failed = null;
		List<LeaseHandle> surplus = new ArrayList<>();
		for (BatchTry.Part part : ended.parts()) {
			LeaseHandle lease = part.lease();
			if (lease == null && first == null) {
				first = part.failure();
				failed = part.target;
			}
			else if (lease != null && first != null) {
				surplus.add(lease);
			}
			else if (lease != null) {
				opened(lease, part.waited());
			}
		}
		StoreBatch.collect(() -> surplus.forEach((lease) -> discarded.add(lease.discard())));
		if (first == null || failed == null) {
			return null;
		}
		LockException end = endOf(first);
		if (end != null) {
			this.engine.tellOfFailure(failed.key(), failed.runtime().name(), end, waited());
			throw end;
		}
		return waitFor(failed);
	}

	/**
	 * Tells whether a caller that still has time waits after this failure: for a lock
	 * that is taken, and for a store that may come back.
	 */
	private @Nullable LockException endOf(Throwable failure) {
		if (failure instanceof LockNotAcquiredException refused) {
			if (refused.reason() != Reason.BUSY) {
				return refused;
			}
			if (this.waitTime == 0) {
				return refused;
			}
			return isOver() ? new LockNotAcquiredException(key(refused), Reason.TIMED_OUT, waited(), "") : null;
		}
		if (failure instanceof LockStoreException outage) {
			boolean passes = outage.getCause() instanceof StoreException cause && cause.isRetryable();
			return (passes && !isOver()) ? null : Waits.ofCaller(outage);
		}
		throw (failure instanceof RuntimeException ex) ? ex : new IllegalStateException("Unexpected failure", failure);
	}

	private static LockKey key(LockException failure) {
		return Objects.requireNonNull(failure.key(), "key");
	}

	/** A lease of a batch is the caller's from now on. */
	private void opened(LeaseHandle lease, Duration waited) {
		this.owner.opened(lease);
		this.held.add(lease);
		if (!lease.isNested()) {
			this.engine.listeners().notify((listener) -> listener.onAcquired(lease, waited));
		}
	}

	/**
	 * Returns the loss of a lock that was lost before all were held, null if there is
	 * none.
	 */
	@Nullable LockLostException loss() {
		for (LeaseHandle lease : this.held) {
			if (lease.state() == LeaseState.LOST) {
				return lease.lost();
			}
		}
		return null;
	}

	/** Returns the leases that ask for more than their grants have left (rule E11). */
	List<LeaseHandle> tooShort() {
		List<LeaseHandle> tooShort = new ArrayList<>();
		for (int i = 0; i < this.held.size(); i++) {
			LeaseHandle lease = this.held.get(i);
			if (lease.isNested() && lease.wantsLonger(this.targets.get(i).profile())) {
				tooShort.add(lease);
			}
		}
		return tooShort;
	}

	long storeTtl(LeaseHandle lease) {
		return this.targets.get(this.held.indexOf(lease)).profile().storeTtl();
	}

	Duration waited() {
		return Duration.ofNanos(this.engine.clock().now() - this.startedAt);
	}

	LockNotAcquiredException refusal(Target target, Reason reason) {
		LockNotAcquiredException refusal = new LockNotAcquiredException(target.key(), reason, waited(), "");
		this.engine.tellOfFailure(target.key(), target.runtime().name(), refusal, waited());
		return refusal;
	}

}
