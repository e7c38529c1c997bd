package io.distributedlock.engine;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicReferenceFieldUpdater;
import java.util.concurrent.locks.LockSupport;

import io.distributedlock.LockException;
import io.distributedlock.LockOwner;
import org.jspecify.annotations.Nullable;

/**
 * One caller that wants the lock. Its fate is decided by one compare-and-set from
 * {@code WAITING} (rule E4): the gate grants or refuses, the caller cancels. Whoever
 * loses that race lives with what the other did: a caller that finds itself granted takes
 * the lock or hands it on, a gate that finds a cancelled caller goes on to the next one.
 * <p>
 * Between the grant and the moment in which a sleeping thread sees it lies the time that
 * waking it takes. As long as the thread has not {@linkplain #settled taken} the lock,
 * the gate may {@linkplain #putBack put it back} in line, so that a caller that is awake
 * goes first. Again one compare-and-set decides between the two.
 */
final class Waiter {

	enum State {

		WAITING, GRANTED, TAKEN, REFUSED, CANCELLED

	}

	private static final AtomicReferenceFieldUpdater<Waiter, State> STATE = AtomicReferenceFieldUpdater
		.newUpdater(Waiter.class, State.class, "state");

	final LockOwner owner;

	final Profile profile;

	final long enteredAt;

	/** When the caller's wait time is over. */
	final long deadline;

	/**
	 * When the caller leaves even if the store has not answered at all, not even once.
	 */
	final long limit;

	private final @Nullable Thread thread;

	private final @Nullable CompletableFuture<LeaseHandle> future;

	private volatile State state = State.WAITING;

	private volatile @Nullable LeaseHandle lease;

	private volatile @Nullable LockException failure;

	/** Somebody else is known to have the lock. Set under the gate's mutex. */
	volatile boolean busy;

	/**
	 * The thread parks, or is about to. It sets this first and looks at its state again
	 * afterwards, so that whoever changes the state need not wake a thread that is awake.
	 */
	volatile boolean parked;

	/**
	 * The owner is not the calling thread's own, so that others may act for it at the
	 * same time. False does not mean that nobody else does: a thread's owner can be given
	 * to others.
	 */
	final boolean sharesOwner;

	/** What the granting thread does for a caller that sleeps, null if nothing. */
	private final @Nullable Runnable ahead;

	/** How many later callers went first. Guarded by the gate's mutex. */
	int overtaken;

	/** What the caller has at a {@link CallerGate}. Guarded by the gate's mutex. */
	@Nullable Seat seat;

	private Waiter(LockOwner owner, boolean sharesOwner, Profile profile, long now, long commandTimeout,
			@Nullable Thread thread, @Nullable CompletableFuture<LeaseHandle> future, @Nullable Runnable ahead) {
		this.owner = owner;
		this.sharesOwner = sharesOwner;
		this.profile = profile;
		this.enteredAt = now;
		this.deadline = Clock.plus(now, profile.waitTime());
		this.limit = Clock.plus(this.deadline, commandTimeout);
		this.thread = thread;
		this.future = future;
		this.ahead = ahead;
	}

	/**
	 * Makes a caller that sleeps while it waits.
	 * @param thread the one that sleeps
	 * @param ahead what follows the grant at once, before the thread is woken, or null
	 */
	static Waiter blocking(Thread thread, LockOwner owner, boolean sharesOwner, Profile profile, long now,
			long commandTimeout, @Nullable Runnable ahead) {
		return new Waiter(owner, sharesOwner, profile, now, commandTimeout, thread, null, ahead);
	}

	static Waiter asynchronous(LockOwner owner, boolean sharesOwner, Profile profile, long now, long commandTimeout,
			CompletableFuture<LeaseHandle> future) {
		return new Waiter(owner, sharesOwner, profile, now, commandTimeout, null, future, null);
	}

	State state() {
		return this.state;
	}

	boolean isWaiting() {
		return this.state == State.WAITING;
	}

	boolean waits() {
		return this.profile.waits();
	}

	/**
	 * The gate gives the lock to this caller, under the mutex; {@link #deliver} follows
	 * outside.
	 * @return false if its fate is decided already, which then stays as it is
	 */
	boolean grant(LeaseHandle granted) {
		if (!isWaiting()) {
			return false;
		}
		this.lease = granted;
		if (STATE.compareAndSet(this, State.WAITING, State.GRANTED)) {
			return true;
		}
		this.lease = null;
		return false;
	}

	/**
	 * The gate refuses this caller, under the mutex; {@link #deliver} follows outside.
	 * @return false if its fate is decided already, which then stays as it is
	 */
	boolean refuse(LockException exception) {
		if (!isWaiting()) {
			return false;
		}
		this.failure = exception;
		return STATE.compareAndSet(this, State.WAITING, State.REFUSED);
	}

	/**
	 * The caller takes what it was granted; nobody can overtake it any more.
	 * @return true if its fate is decided
	 */
	boolean settled() {
		State current = this.state;
		while (current == State.GRANTED) {
			if (STATE.compareAndSet(this, State.GRANTED, State.TAKEN)) {
				return true;
			}
			current = this.state;
		}
		return current != State.WAITING;
	}

	/**
	 * The gate puts a caller back in line that was granted the lock and has not taken it.
	 * @return false if it has
	 */
	boolean putBack() {
		// Before the state: who finds itself waiting again sees why, and tells of it.
		this.busy = true;
		return this.thread != null && STATE.compareAndSet(this, State.GRANTED, State.WAITING);
	}

	/**
	 * The caller gives up.
	 */
	boolean cancel() {
		return STATE.compareAndSet(this, State.WAITING, State.CANCELLED);
	}

	/**
	 * Tells the caller that its state has changed, outside all locks.
	 */
	void deliver() {
		if (this.thread != null) {
			if (this.ahead != null && STATE.compareAndSet(this, State.GRANTED, State.TAKEN)) {
				this.ahead.run();
			}
			if (this.parked) {
				LockSupport.unpark(this.thread);
			}
		}
		else if (this.future != null && !isWaiting()) {
			LockException exception = this.failure;
			LeaseHandle granted = this.lease;
			if (this.state == State.GRANTED && granted != null) {
				this.future.complete(granted);
			}
			else if (exception != null) {
				this.future.completeExceptionally(exception);
			}
		}
	}

	LeaseHandle lease() {
		LeaseHandle granted = this.lease;
		if (granted == null) {
			throw new IllegalStateException("Not granted but " + this.state);
		}
		return granted;
	}

	LockException failure() {
		LockException exception = this.failure;
		if (exception == null) {
			throw new IllegalStateException("Not refused but " + this.state);
		}
		return exception;
	}

}
