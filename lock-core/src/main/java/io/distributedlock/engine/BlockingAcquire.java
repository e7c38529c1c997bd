package io.distributedlock.engine;

import java.time.Duration;
import java.util.concurrent.locks.LockSupport;

import io.distributedlock.DeadlockDetectedException;
import io.distributedlock.Lease;
import io.distributedlock.LockContext;
import io.distributedlock.LockException;
import io.distributedlock.LockKey;
import io.distributedlock.LockNotAcquiredException;
import io.distributedlock.LockNotAcquiredException.Reason;
import io.distributedlock.LockOwner;
import io.distributedlock.LockRequest;
import io.distributedlock.LockStoreException;
import org.jspecify.annotations.Nullable;

/**
 * One acquisition in which the calling thread does everything itself (rule E16): it
 * enters the gate, talks to the store if it is the first, and parks until its fate is
 * decided.
 * <p>
 * The thread wakes for four reasons: the gate has decided, the gate tells that somebody
 * else has the lock, the wait time is over, or it was interrupted. For the last two it
 * cancels its {@link Waiter}; if the gate was faster, what the gate decided counts.
 */
final class BlockingAcquire {

	/** How long to sleep when the limit has passed and the gate still decides. */
	private static final long MIN_PARK = 5_000_000;

	private final LockEngine engine;

	private final StoreRuntime runtime;

	private final LockKey key;

	private final Profile profile;

	private final LockOwner owner;

	private final Waiter waiter;

	/** The gate at which the caller waits already, null if it has to enter it. */
	private final @Nullable KeyGate entered;

	BlockingAcquire(LockEngine engine, StoreRuntime runtime, LockRequest request, Profile profile) {
		this(engine, runtime, request, profile, null);
	}

	/**
	 * Makes an acquisition.
	 * @param ahead what the thread that grants the lock does before it wakes this one
	 */
	BlockingAcquire(LockEngine engine, StoreRuntime runtime, LockRequest request, Profile profile,
			@Nullable Ahead ahead) {
		this.engine = engine;
		this.runtime = runtime;
		this.key = request.key();
		this.profile = profile;
		LockOwner explicit = request.owner();
		this.owner = (explicit != null) ? explicit : LockContext.owner();
		boolean sharesOwner = explicit != null || LockContext.boundOwner() != null;
		this.waiter = Waiter.blocking(Thread.currentThread(), this.owner, sharesOwner, profile, engine.clock().now(),
				engine.options().commandTimeout(profile.ttl()) + LockEngine.GRACE, ahead);
		this.entered = null;
	}

	/**
	 * Goes on where the caller waits already.
	 * @param ahead what was done for this thread
	 */
	BlockingAcquire(LockEngine engine, Ahead.Entered ahead) {
		this.engine = engine;
		this.runtime = ahead.target().runtime();
		this.key = ahead.target().key();
		this.profile = ahead.target().profile();
		this.owner = ahead.waiter().owner;
		this.waiter = ahead.waiter();
		this.entered = ahead.gate();
	}

	Lease run() {
		LockException failure = await((this.entered != null) ? this.entered : enter());
		if (failure != null) {
			throw notAcquired(failure);
		}
		LeaseHandle lease = this.waiter.lease();
		this.owner.opened(lease);
		if (lease.isNested()) {
			lengthen(lease);
		}
		else {
			Duration waited = waited();
			this.engine.listeners().notify((listener) -> listener.onAcquired(lease, waited));
		}
		return lease;
	}

	private KeyGate enter() {
		if (Thread.currentThread().isInterrupted()) {
			throw notAcquired(refusal(Reason.INTERRUPTED));
		}
		if (!this.engine.isRunning() && !this.engine.reenters(this.runtime, this.key, this.owner)) {
			throw notAcquired(refusal(Reason.SHUTTING_DOWN));
		}
		return this.runtime.enter(this.key, this.waiter);
	}

	/**
	 * Waits until the caller's fate is decided.
	 * @return why the lock was not had, or null if it was
	 */
	private @Nullable LockException await(KeyGate gate) {
		boolean told = false;
		long suspicious = DeadlockDetector.NEVER;
		LongWait suspected = null;
		StoreBatch.flush();
		this.runtime.answerWait.yieldUntil(this::isDecided);
		try {
			while (!this.waiter.settled()) {
				if (this.waiter.busy && !told) {
					told = true;
					suspicious = this.engine.deadlocks().suspiciousAt(this.waiter);
					this.engine.listeners().notify((listener) -> listener.onWaiting(this.key, this.runtime.name()));
				}
				long now = this.engine.clock().now();
				if (now >= suspicious) {
					suspicious = DeadlockDetector.NEVER;
					suspected = this.engine.deadlocks().suspect(this.runtime, gate, this.waiter);
				}
				long end = this.waiter.deadline;
				if (now >= end) {
					LockException failure = gate.timedOut(this.waiter);
					if (failure != null) {
						return failure;
					}
					end = Math.max(this.waiter.limit, now + MIN_PARK);
				}
				LockException failure = park(gate, Math.min(end, suspicious) - now, told);
				if (failure != null) {
					return failure;
				}
			}
		}
		finally {
			if (suspected != null) {
				this.engine.deadlocks().ended(suspected);
			}
			if (told || (this.entered != null && this.waiter.busy)) {
				// What was entered on behalf of this thread may be had before it wakes.
				this.engine.hasWaited(this.key, this.runtime, this.waiter.enteredAt);
			}
			if (told) {
				this.engine.listeners().notify((listener) -> listener.onWaitingEnded(this.key, this.runtime.name()));
			}
		}
		if (this.waiter.state() != Waiter.State.TAKEN) {
			return this.waiter.failure();
		}
		if (!told) {
			this.runtime.answerWait.ended(this.engine.clock().now() - this.waiter.enteredAt);
		}
		return null;
	}

	/** Who has to wait for another caller parks at once. */
	private boolean isDecided() {
		return this.waiter.busy || !this.waiter.isWaiting();
	}

	private @Nullable LockException park(KeyGate gate, long nanos, boolean told) {
		// A caller that came while the engine stopped does not park: nobody may be left
		// to
		// wake it.
		this.waiter.parked = true;
		if (this.engine.isRunning() && this.waiter.isWaiting() && (told || !this.waiter.busy)) {
			LockSupport.parkNanos(this.waiter, this.engine.clock().park(nanos));
		}
		this.waiter.parked = false;
		Reason reason = null;
		if (Thread.currentThread().isInterrupted()) {
			reason = Reason.INTERRUPTED;
		}
		else if (!this.engine.isRunning()) {
			reason = Reason.SHUTTING_DOWN;
		}
		if (reason == null || !this.waiter.cancel()) {
			return null;
		}
		gate.left(this.waiter);
		return refusal(reason);
	}

	/**
	 * A nested lease that wants a longer ttl than the grant has left gets it, or does not
	 * begin (rule E11).
	 */
	private void lengthen(LeaseHandle nested) {
		if (!nested.wantsLonger(this.profile)) {
			return;
		}
		try {
			Waits.get(this.runtime.extend(nested, this.profile.storeTtl()));
		}
		catch (RuntimeException ex) {
			nested.release();
			throw ex;
		}
	}

	private Duration waited() {
		return Duration.ofNanos(this.engine.clock().now() - this.waiter.enteredAt);
	}

	private LockNotAcquiredException refusal(Reason reason) {
		return new LockNotAcquiredException(this.key, reason, waited(), "");
	}

	private LockException notAcquired(LockException made) {
		LockException failure = made;
		// Where these were made tells nothing. Refusals have no stack trace.
		if (made instanceof DeadlockDetectedException) {
			failure.fillInStackTrace();
		}
		else if (made instanceof LockStoreException outage) {
			failure = Waits.ofCaller(outage);
		}
		this.engine.tellOfFailure(this.key, this.runtime.name(), failure, waited());
		return failure;
	}

}
