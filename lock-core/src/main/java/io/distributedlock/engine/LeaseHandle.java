package io.distributedlock.engine;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicReferenceFieldUpdater;
import java.util.function.Consumer;

import io.distributedlock.Lease;
import io.distributedlock.LeaseState;
import io.distributedlock.LockKey;
import io.distributedlock.LockLostException;
import io.distributedlock.LockMode;
import io.distributedlock.LockOwner;
import io.distributedlock.LockSettings;
import io.distributedlock.LossReason;
import io.distributedlock.spi.StoreException;
import org.jspecify.annotations.Nullable;

/**
 * One lease of a {@link Hold}. It keeps only what is its own: whether it was closed, how
 * it ended, and its callbacks. Everything else is asked of the hold and its grant.
 */
final class LeaseHandle implements Lease {

	/**
	 * {@code OPEN -> CLOSING -> RELEASED | LOST}. Whether an open lease is held is asked
	 * of the hold.
	 */
	private enum Stage {

		OPEN, CLOSING, RELEASED, LOST

	}

	private static final AtomicReferenceFieldUpdater<LeaseHandle, Stage> STAGE = AtomicReferenceFieldUpdater
		.newUpdater(LeaseHandle.class, Stage.class, "stage");

	private static final AtomicReferenceFieldUpdater<LeaseHandle, Callback> CALLBACKS = AtomicReferenceFieldUpdater
		.newUpdater(LeaseHandle.class, Callback.class, "callbacks");

	/** Stands in {@link #callbacks} when the loss has been told. */
	private static final Callback TOLD = new Callback((loss) -> {
	}, null);

	final Hold hold;

	private volatile Stage stage = Stage.OPEN;

	/** The one that was added last. */
	private volatile @Nullable Callback callbacks;

	private final boolean reads;

	LeaseHandle(Hold hold, boolean reads) {
		this.hold = hold;
		this.reads = reads;
	}

	private StoreRuntime runtime() {
		return this.hold.grant.gate.runtime();
	}

	/**
	 * Tells whether it was opened while its owner held the lock already.
	 */
	boolean isNested() {
		return this.hold.opener != this;
	}

	@Override
	public LockKey key() {
		return this.hold.grant.gate.key;
	}

	@Override
	public String store() {
		return runtime().name();
	}

	@Override
	public LockMode mode() {
		return this.reads ? LockMode.READ : LockMode.WRITE;
	}

	@Override
	public LockOwner owner() {
		return this.hold.owner;
	}

	@Override
	public long fencingToken() {
		if (isDegraded()) {
			throw new IllegalStateException("Lock '" + key() + "' is held within this instance only, since the store '"
					+ store() + "' was out when it was acquired (on-outage = local), and so it has no fencing token."
					+ " Ask Lease.isDegraded() before, or set on-outage = fail for what needs one.");
		}
		return this.hold.token;
	}

	@Override
	public boolean isDegraded() {
		return this.hold.grant.local;
	}

	@Override
	public LeaseState state() {
		return switch (this.stage) {
			case OPEN, CLOSING -> stateOfHold();
			case RELEASED -> LeaseState.RELEASED;
			case LOST -> LeaseState.LOST;
		};
	}

	private LeaseState stateOfHold() {
		return switch (this.hold.state) {
			case HELD -> this.hold.isHeld(runtime().now()) ? LeaseState.HELD : LeaseState.LOST;
			case CLOSING -> LeaseState.HELD;
			case RELEASED -> LeaseState.RELEASED;
			case LOST -> LeaseState.LOST;
		};
	}

	@Override
	public boolean isHeld() {
		return this.stage == Stage.OPEN && this.hold.isHeld(runtime().now());
	}

	@Override
	public Duration remaining() {
		return isHeld() ? Duration.ofNanos(this.hold.grant.remaining(runtime().now())) : Duration.ZERO;
	}

	@Override
	public void assertHeld() {
		if (isHeld()) {
			return;
		}
		if (state() == LeaseState.LOST) {
			throw lost();
		}
		throw over();
	}

	IllegalStateException over() {
		return new IllegalStateException("Lock '" + key() + "' (token " + this.hold.token
				+ ") has been released already. Do the work before the lease is closed.");
	}

	LockLostException lost() {
		LossReason reason = this.hold.lossReason;
		String advice = switch (reason) {
			case EXPIRED -> this.hold.terms().renew()
					? "Check the store's latency and this JVM's pauses against the ttl of "
							+ Duration.ofNanos(this.hold.terms().ttl()).toMillis() + "ms."
					: "Renewal is off: raise the ttl, or use renew = true.";
			case NOT_OWNER -> "Was it deleted or evicted in the store, or did the store fail over?";
			case FORCE_RELEASED -> "Others may hold it now.";
			case MAX_HOLD -> "Raise maxHold from " + Duration.ofNanos(this.hold.terms().maxHold()).toMillis()
					+ "ms if the work is meant to take this long.";
			case OWNER_GONE -> "Use try-with-resources or execute().";
		};
		return new LockLostException(key(), reason, this.hold.token, advice);
	}

	/**
	 * Tells whether this nested lease asks for more than the grant has left. What is
	 * renewed has its full ttl time and again.
	 */
	boolean wantsLonger(Profile profile) {
		long wanted = profile.storeTtl();
		return this.hold.grant.ttl < wanted || (!this.hold.terms().renew()
				&& this.hold.grant.remaining(runtime().now()) < wanted - Profile.drift(wanted));
	}

	@Override
	public void onLost(Consumer<LockLostException> callback) {
		Callback earlier = this.callbacks;
		while (earlier != TOLD) {
			if (CALLBACKS.compareAndSet(this, earlier, new Callback(callback, earlier))) {
				return;
			}
			earlier = this.callbacks;
		}
		runtime().engine.lossExecutor().execute(() -> callback(callback, lost()));
	}

	/**
	 * The hold was lost while this lease was open. Runs on the thread for losses.
	 */
	void deliverLoss() {
		Deque<Consumer<LockLostException>> inOrder = new ArrayDeque<>();
		for (Callback added = CALLBACKS.getAndSet(this, TOLD); added != null; added = added.earlier()) {
			inOrder.addFirst(added.consumer());
		}
		inOrder.forEach((callback) -> callback(callback, lost()));
	}

	private void callback(Consumer<LockLostException> callback, LockLostException exception) {
		if (this.stage != Stage.OPEN) {
			return;
		}
		try {
			callback.accept(exception);
		}
		catch (RuntimeException ex) {
			StoreRuntime.logger.atWarn()
				.setCause(ex)
				.addKeyValue("lock.key", key().id())
				.log("An onLost callback failed");
		}
	}

	@Override
	public void extend(Duration duration) {
		if (duration.compareTo(LockSettings.MIN_TTL) < 0 || duration.compareTo(LockSettings.MAX_DURATION) > 0) {
			throw new IllegalArgumentException("Lock '" + key() + "' cannot be extended by " + duration
					+ ": give at least " + LockSettings.MIN_TTL.toMillis() + "ms and at most "
					+ LockSettings.MAX_DURATION.toDays() + "d.");
		}
		assertHeld();
		try {
			Waits.get(runtime().extend(this, duration.toNanos()));
		}
		catch (LockLostException ex) {
			// With the caller's stack trace.
			throw lost();
		}
	}

	@Override
	public void keep() {
		assertHeld();
		if (this.hold.grant.gate.onlyReads(this.hold)) {
			throw new IllegalStateException("Lock '" + key() + "': a reader cannot keep it. Use mode = WRITE.");
		}
		if (isDegraded()) {
			throw new IllegalStateException("Lock '" + key() + "' cannot be kept: it is held within this instance only,"
					+ " since the store '" + store() + "' was out when it was acquired (on-outage = local).");
		}
		this.hold.keep();
	}

	@Override
	public boolean release() {
		return endRelease(beginRelease());
	}

	/**
	 * Closes the lease at its gate, without waiting for the store.
	 * @return what became of it, for {@link #endRelease} or {@link #endReleaseAsync};
	 * {@link KeyGate.Closing#AGAIN} if it was closed before
	 */
	KeyGate.Closing beginRelease() {
		return STAGE.compareAndSet(this, Stage.OPEN, Stage.CLOSING) ? this.hold.grant.gate.close(this)
				: KeyGate.Closing.AGAIN;
	}

	boolean endRelease(KeyGate.Closing closing) {
		if (closing == KeyGate.Closing.AGAIN) {
			return false;
		}
		boolean held = closing.held();
		CompletableFuture<Boolean> reply = closing.reply();
		if (reply != null) {
			StoreBatch.flush();
			long start = runtime().now();
			runtime().answerWait.yieldUntil(reply::isDone);
			held = Waits.get(reply);
			runtime().answerWait.ended(runtime().now() - start);
		}
		finished(held, closing.last());
		return held;
	}

	@Override
	public CompletionStage<Boolean> releaseAsync() {
		return endReleaseAsync(beginRelease());
	}

	CompletableFuture<Boolean> endReleaseAsync(KeyGate.Closing closing) {
		if (closing == KeyGate.Closing.AGAIN) {
			return CompletableFuture.completedFuture(false);
		}
		if (closing.reply() == null) {
			finished(closing.held(), closing.last());
			return CompletableFuture.completedFuture(closing.held());
		}
		return closing.reply().thenApplyAsync((held) -> {
			finished(held, closing.last());
			return held;
		}, runtime().engine.callbackExecutor());
	}

	/**
	 * Ends a lease that nobody has seen yet: its owner and listeners do not learn of it.
	 */
	CompletableFuture<Boolean> discard() {
		KeyGate.Closing closing = beginRelease();
		CompletableFuture<Boolean> reply = closing.reply();
		if (reply == null) {
			this.stage = closing.held() ? Stage.RELEASED : Stage.LOST;
			return CompletableFuture.completedFuture(closing.held());
		}
		return reply.thenApply((held) -> {
			this.stage = held ? Stage.RELEASED : Stage.LOST;
			return held;
		});
	}

	private void finished(boolean held, boolean last) {
		this.stage = held ? Stage.RELEASED : Stage.LOST;
		this.hold.owner.closed(this);
		StoreException silence = this.hold.silence;
		if (last && silence != null) {
			runtime().listeners().notify((listener) -> listener.onReleaseUnconfirmed(this, silence));
		}
		if (!held && !isNested()) {
			runtime().engine.policies().endedLate(this, runtime().now() - this.hold.startedAt);
		}
		if (held && last) {
			Duration duration = Duration.ofNanos(runtime().now() - this.hold.startedAt);
			runtime().listeners().notify((listener) -> listener.onReleased(this, duration));
		}
	}

	@Override
	public void close() {
		if (this.stage != Stage.OPEN) {
			return;
		}
		if (!release() && this.stage == Stage.LOST) {
			throw lost();
		}
	}

	@Override
	public String toString() {
		return "Lease[" + key() + ", token " + this.hold.token + ", " + state() + "]";
	}

	/**
	 * What to call when the lease is lost.
	 *
	 * @param consumer what to call
	 * @param earlier the one that was added before it
	 */
	private record Callback(Consumer<LockLostException> consumer, @Nullable Callback earlier) {
	}

}
