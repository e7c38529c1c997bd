package io.distributedlock.engine;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Future;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;

import io.distributedlock.LockException;
import io.distributedlock.LockInspector.HeldLock;
import io.distributedlock.LockInspector.WaitedLock;
import io.distributedlock.LockKey;
import io.distributedlock.LockNotAcquiredException;
import io.distributedlock.LockNotAcquiredException.Reason;
import io.distributedlock.LossReason;
import io.distributedlock.spi.AbandonCommand;
import io.distributedlock.spi.AttemptId;
import io.distributedlock.spi.StoreException;
import org.jspecify.annotations.Nullable;

/**
 * Where callers of this JVM that want one key of one store in one way queue up:
 * {@link Gate} for those that want to be alone, {@link ReaderGate} for readers,
 * {@link CallerGate} for those of whom each has a place of its own in the store's queue.
 * The gates of one key know nothing of each other; the store decides between them.
 * <p>
 * The fields of all gates of a key are guarded by its {@linkplain StoreRuntime#mutex
 * mutex}, which is held for a few instructions and never over I/O, callbacks, unparks or
 * another mutex. What has to follow is collected in a {@link Turn}.
 * <p>
 * Each gate is a state machine of its own. Here is what does not depend on it: how a
 * caller's wait ends by time, how an attempt is given up, how the holds of a lost or
 * returned grant end, and the one timer that a gate needs.
 */
abstract class KeyGate {

	/** Shortest pause before asking again after a refusal. */
	protected static final long MIN_PAUSE = 2_000_000;

	final LockKey key;

	protected final StoreRuntime runtime;

	/** What the gate wants to do later, null if nothing. */
	private @Nullable Future<?> timer;

	KeyGate(StoreRuntime runtime, LockKey key) {
		this.runtime = runtime;
		this.key = key;
	}

	// ---- What callers do

	/**
	 * Takes a caller in. Its fate may be decided when this method returns.
	 * @return false if this gate is dead and the caller needs a new one
	 */
	abstract boolean enter(Waiter waiter);

	/**
	 * A caller has cancelled itself.
	 */
	abstract void left(Waiter waiter);

	/**
	 * A caller's wait time is over. It may go only if the store or a local holder has
	 * answered it at least once, or if it has waited for that as long as a command may
	 * take.
	 * @return what to tell the caller, or null if it has to go on waiting until its limit
	 */
	final @Nullable LockException timedOut(Waiter waiter) {
		LockException failure;
		mutex().lock();
		try {
			StoreException outage = outage(waiter);
			boolean answered = outage != null || isAnswered(waiter);
			if ((!answered && this.runtime.now() < waiter.limit) || !waiter.cancel()) {
				return null;
			}
			if (outage != null) {
				failure = storeFailed(outage);
			}
			else if (answered) {
				failure = refusal(waiter.waits() ? Reason.TIMED_OUT : Reason.BUSY, waiter);
			}
			else {
				failure = neverAnswered();
			}
		}
		finally {
			mutex().unlock();
		}
		left(waiter);
		return failure;
	}

	/**
	 * Returns why the last question on behalf of a caller got no answer, null if it got
	 * one. Under the mutex.
	 */
	protected abstract @Nullable StoreException outage(Waiter waiter);

	/**
	 * Tells whether a caller knows that somebody else has the lock. Under the mutex.
	 */
	protected abstract boolean isAnswered(Waiter waiter);

	/**
	 * Returns what a caller is told that does not get the lock. Under the mutex.
	 */
	protected abstract LockNotAcquiredException refusal(Reason reason, Waiter waiter);

	protected LockNotAcquiredException refusal(Reason reason, Waiter waiter, String holder) {
		long waited = (reason == Reason.TIMED_OUT) ? waiter.profile.waitTime() : this.runtime.now() - waiter.enteredAt;
		return new LockNotAcquiredException(this.key, reason, Duration.ofNanos(waited), holder);
	}

	protected LockNotAcquiredException busy(Waiter waiter) {
		return refusal(Reason.BUSY, waiter);
	}

	/**
	 * Refuses all who wait, since this instance shuts down.
	 */
	abstract void shutDown();

	/**
	 * Closes a lease. The last one of a hold ends the hold.
	 */
	abstract Closing close(LeaseHandle lease);

	/**
	 * The owner of a hold enters once more (rule E11), perhaps in another way than
	 * before.
	 * @return false if the hold has ended meanwhile, or is not one that the owner may
	 * enter in this way any more
	 */
	boolean nest(Hold held, Waiter waiter) {
		Turn turn = new Turn(this.key);
		boolean nested;
		mutex().lock();
		try {
			nested = held.isHeld(this.runtime.now()) && admits(held, waiter);
			if (nested) {
				nest(held, waiter, turn);
			}
		}
		finally {
			mutex().unlock();
		}
		turn.run();
		return nested;
	}

	/**
	 * Tells whether the owner of a hold may enter once more in the way that it asks for.
	 * Under the mutex.
	 */
	protected boolean admits(Hold held, Waiter waiter) {
		return held.grant.gate == this;
	}

	/**
	 * Tells whether the owner of a hold only reads any more, though it wrote before, so
	 * that it cannot write again.
	 */
	boolean onlyReads(Hold held) {
		return isForReaders();
	}

	/**
	 * Lets the owner of a hold in once more, under the mutex.
	 * @return false if the caller has left meanwhile
	 */
	protected boolean nest(Hold held, Waiter waiter, Turn turn) {
		LeaseHandle lease = new LeaseHandle(held, waiter.profile.reads());
		if (!waiter.grant(lease)) {
			return false;
		}
		held.nest(lease, waiter.profile.terms(), this.runtime.now());
		turn.deliver(waiter);
		return true;
	}

	// ---- What the store and the watchdog bring

	/**
	 * It may be an attempt's turn.
	 * @param signalled which attempt, null for all
	 */
	abstract void signalled(@Nullable AttemptId signalled);

	/**
	 * A grant was ended by force.
	 */
	abstract void revoked(AttemptId revoked);

	/**
	 * A grant is known to be lost: refused by the store, or past its deadline.
	 */
	abstract void lost(Grant lost, LossReason reason);

	/**
	 * The store keeps a grant for another ttl than the one that its profile says, so the
	 * next hold must not rely on it.
	 * @return false if the deadline has passed meanwhile
	 */
	abstract boolean armed(Grant armed, long ttl, long sentAt);

	/**
	 * Tells whether the store keeps the grants of this gate among the shared ones.
	 */
	boolean isShared() {
		return false;
	}

	/**
	 * Tells whether its holders read.
	 */
	boolean isForReaders() {
		return false;
	}

	/**
	 * The watchdog is about to look at a grant.
	 */
	void tend(Grant grant) {
		// Most grants have one hold, which is there already.
	}

	// ---- What operators see

	abstract List<HeldLock> held();

	abstract @Nullable WaitedLock waited();

	protected @Nullable WaitedLock waited(@Nullable Waiter first, int waiters) {
		return (first == null) ? null : new WaitedLock(this.key, this.runtime.name(), waiters,
				Duration.ofNanos(this.runtime.now() - first.enteredAt));
	}

	/** Tells whether leases are open, or the store still has to be heard or told. */
	abstract boolean isBusy();

	@Nullable LeaseHandle outermost(Hold hold) {
		mutex().lock();
		try {
			List<LeaseHandle> open = hold.openLeases();
			return open.isEmpty() ? null : open.get(0);
		}
		finally {
			mutex().unlock();
		}
	}

	/** Under the mutex. */
	protected HeldLock show(Hold held, int waiters) {
		long now = this.runtime.now();
		return new HeldLock(this.key, this.runtime.name(), held.owner.toString(), held.token,
				Duration.ofNanos(now - held.startedAt), Duration.ofNanos(held.grant.remaining(now)),
				held.openLeases().size(), waiters);
	}

	// ---- For the gates

	StoreRuntime runtime() {
		return this.runtime;
	}

	protected ReentrantLock mutex() {
		return this.runtime.mutex(this.key);
	}

	/**
	 * Changes the state under the mutex, then does what follows from it.
	 */
	protected void transition(Consumer<Turn> change) {
		Turn turn = new Turn(this.key);
		mutex().lock();
		try {
			change.accept(turn);
		}
		finally {
			mutex().unlock();
			turn.run();
		}
	}

	protected void refuse(Waiter waiter, Turn turn, LockException exception) {
		if (waiter.refuse(exception)) {
			turn.deliver(waiter);
		}
	}

	protected LockException storeFailed(StoreException cause) {
		return this.runtime.outage(this.key, "it could not be acquired, and nothing is held", cause);
	}

	/** What to tell a caller whom the store has not answered in all the time it had. */
	protected LockException neverAnswered() {
		return storeFailed(new StoreException(
				"The store '" + this.runtime.name()
						+ "' has not answered in time. Check that it is reachable and not overloaded.",
				true, true, null));
	}

	// ---- Attempts that end, under the mutex

	/**
	 * Takes back what an attempt has in the store: at once, and if that gets no answer,
	 * again and again until its ttl is over (rule E13). What its commands without an
	 * answer may still do has to be {@linkplain #sweepGhosts swept} besides.
	 * @param after what follows under the mutex when the store has answered or failed
	 */
	protected void abandon(Attempt ended, Turn turn, Consumer<Turn> after) {
		long until = Clock.plus(this.runtime.now(), ended.ttl);
		AbandonCommand command = new AbandonCommand(this.key, ended.id, timeout(ended.ttl));
		turn.then(() -> this.runtime.abandon(isShared(), command).whenComplete((done, thrown) -> {
			if (thrown != null) {
				this.runtime.abandonLater(this, ended.id, this.runtime.now(), until);
			}
			transition(after);
		}));
	}

	/**
	 * What a command without an answer may still do is undone when it can be executed no
	 * more.
	 * @param ttl how long the store keeps what it then gave, if it does not answer
	 */
	protected void sweepGhosts(Attempt ended, long ttl, Turn turn) {
		if (ended.isHaunted(this.runtime.now())) {
			long ghosts = ended.ghostUntil();
			turn.then(() -> this.runtime.abandonLater(this, ended.id, ghosts, Clock.plus(ghosts, ttl)));
		}
	}

	// ---- The timer, under the mutex

	/** Does something later, and not what was to be done later until now. */
	protected void later(long nanos, Consumer<Turn> task) {
		cancelTimer();
		this.timer = this.runtime.engine.timers().schedule(() -> transition((turn) -> {
			this.timer = null;
			task.accept(turn);
		}), nanos);
	}

	protected void cancelTimer() {
		Future<?> pending = this.timer;
		if (pending != null) {
			pending.cancel(false);
			this.timer = null;
		}
	}

	protected boolean hasTimer() {
		return this.timer != null;
	}

	// ---- Small things

	protected long timeoutNanos(long ttl) {
		return this.runtime.engine.options().commandTimeout(ttl);
	}

	protected Duration timeout(long ttl) {
		return Duration.ofNanos(timeoutNanos(ttl));
	}

	/** Renewal is cancelled before the release is sent (rule E12). */
	protected void unwatch(Grant ended) {
		ended.ended = true;
		this.runtime.engine.watchdog().remove(ended);
	}

	/** Not on the store's thread, which a listener could block. */
	protected void tellOfRemoteHandoff() {
		this.runtime.engine.callbackExecutor()
			.execute(() -> this.runtime.listeners()
				.notify((listener) -> listener.onRemoteHandoff(this.key, this.runtime.name())));
	}

	/**
	 * The store's answer, or its silence, decides how the hold of its last lease ends
	 * (rule E12).
	 */
	protected void settle(LeaseHandle lease, boolean lost, @Nullable StoreException silence,
			CompletableFuture<Boolean> outcome, Turn turn) {
		Hold closed = lease.hold;
		if (lost) {
			closed.lossReason = LossReason.NOT_OWNER;
			closed.state = Hold.State.LOST;
			turn.then(() -> reportLoss(lease, List.of()));
		}
		else {
			closed.state = Hold.State.RELEASED;
		}
		if (silence != null) {
			closed.silence = silence;
			turn.then(() -> this.runtime.warnOfUnconfirmed(this.key, silence));
		}
		turn.then(() -> outcome.complete(!lost));
	}

	/**
	 * Nobody works under a grant any more whose deadline has passed on this side. The
	 * store may have it for longer, if renewals were executed whose answers got lost.
	 */
	protected void forget(Grant lost, LossReason reason, Turn turn) {
		if (reason != LossReason.NOT_OWNER && reason != LossReason.FORCE_RELEASED && !lost.local) {
			long now = this.runtime.now();
			turn.then(() -> this.runtime.abandonLater(this, lost.attempt(), now, Clock.plus(now, lost.ttl)));
		}
	}

	protected void reportLoss(LeaseHandle lease, List<LeaseHandle> open) {
		Duration held = Duration.ofNanos(this.runtime.now() - lease.hold.startedAt);
		this.runtime.engine.lossExecutor().execute(() -> {
			open.forEach(LeaseHandle::deliverLoss);
			this.runtime.listeners().notify((listener) -> listener.onLost(lease, lease.lost(), held));
		});
	}

	/**
	 * Ends a hold that is lost, under the mutex.
	 */
	protected void loseHold(Hold held, LossReason reason, Turn turn) {
		held.lossReason = (reason == LossReason.EXPIRED) ? held.reasonToExpire(this.runtime.now()) : reason;
		held.state = Hold.State.LOST;
		List<LeaseHandle> open = held.openLeases();
		if (!open.isEmpty()) {
			turn.then(() -> reportLoss(open.get(0), open));
		}
	}

	/**
	 * What became of a lease that was closed.
	 *
	 * @param held it was held until then, as far as is known without the store
	 * @param last it was the last one of its hold
	 * @param reply what the store says in the end, null if it is not asked
	 */
	record Closing(boolean held, boolean last, @Nullable CompletableFuture<Boolean> reply) {

		static final Closing LOST = new Closing(false, false, null);

		/** It had been closed before. */
		static final Closing AGAIN = new Closing(false, false, null);

		static final Closing NESTED = new Closing(true, false, null);

		static final Closing HANDED_ON = new Closing(true, true, null);

		/**
		 * It was the last one that wrote, and its owner goes on reading.
		 * @param reply what the store says about that
		 */
		static Closing downgraded(CompletableFuture<Boolean> reply) {
			return new Closing(true, false, reply);
		}

	}

}
