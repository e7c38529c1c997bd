package io.distributedlock.engine;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;

import io.distributedlock.Lease;
import io.distributedlock.LeaseState;
import io.distributedlock.LockKey;
import io.distributedlock.LockLostException;
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

	final Hold hold;

	/** It was opened while its owner held the lock already. */
	final boolean nested;

	private final StoreRuntime runtime;

	private final AtomicBoolean closing = new AtomicBoolean();

	private volatile @Nullable LeaseState ended;

	private final ReentrantLock callbackMutex = new ReentrantLock();

	private @Nullable List<Consumer<LockLostException>> callbacks;

	private boolean lossDelivered;

	LeaseHandle(Hold hold, boolean nested, StoreRuntime runtime) {
		this.hold = hold;
		this.nested = nested;
		this.runtime = runtime;
	}

	@Override
	public LockKey key() {
		return this.hold.grant.gate.key;
	}

	@Override
	public String store() {
		return this.runtime.name();
	}

	@Override
	public LockOwner owner() {
		return this.hold.owner;
	}

	@Override
	public long fencingToken() {
		return this.hold.token;
	}

	@Override
	public LeaseState state() {
		LeaseState end = this.ended;
		if (end != null) {
			return end;
		}
		return switch (this.hold.state) {
			case HELD -> this.hold.grant.isAlive(this.runtime.now()) ? LeaseState.HELD : LeaseState.LOST;
			case CLOSING -> LeaseState.HELD;
			case RELEASED -> LeaseState.RELEASED;
			case LOST -> LeaseState.LOST;
		};
	}

	@Override
	public boolean isHeld() {
		return !this.closing.get() && this.hold.isHeld(this.runtime.now());
	}

	@Override
	public Duration remaining() {
		return isHeld() ? Duration.ofNanos(this.hold.grant.remaining(this.runtime.now())) : Duration.ZERO;
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
		return new IllegalStateException("Lock '" + key() + "' (token " + fencingToken()
				+ ") has been released already. Do the work before the lease is closed.");
	}

	LockLostException lost() {
		LossReason reason = this.hold.lossReason;
		String advice = switch (reason) {
			case EXPIRED -> this.hold.renew
					? "Check the store's latency and this JVM's pauses against the ttl of "
							+ Duration.ofNanos(this.hold.ttl).toMillis() + "ms."
					: "Renewal is off: raise the ttl, or use renew = true.";
			case NOT_OWNER -> "Was it deleted or evicted in the store, or did the store fail over?";
			case FORCE_RELEASED -> "Others may hold it now.";
			case MAX_HOLD -> "Raise maxHold from " + Duration.ofNanos(this.hold.maxHold).toMillis()
					+ "ms if the work is meant to take this long.";
			case OWNER_GONE -> "Use try-with-resources or execute().";
		};
		return new LockLostException(key(), reason, fencingToken(), advice);
	}

	/**
	 * Tells whether this nested lease asks for more than the grant has left. What is
	 * renewed has its full ttl time and again.
	 */
	boolean wantsLonger(Profile profile) {
		long wanted = profile.storeTtl();
		return this.hold.grant.ttl < wanted
				|| (!this.hold.renew && this.hold.grant.remaining(this.runtime.now()) < wanted - Profile.drift(wanted));
	}

	@Override
	public void onLost(Consumer<LockLostException> callback) {
		this.callbackMutex.lock();
		try {
			if (!this.lossDelivered) {
				if (this.callbacks == null) {
					this.callbacks = new ArrayList<>(1);
				}
				this.callbacks.add(callback);
				return;
			}
		}
		finally {
			this.callbackMutex.unlock();
		}
		this.runtime.engine.lossExecutor().execute(() -> callback(callback, lost()));
	}

	/**
	 * The hold was lost while this lease was open. Runs on the thread for losses.
	 */
	void deliverLoss() {
		List<Consumer<LockLostException>> toCall;
		this.callbackMutex.lock();
		try {
			this.lossDelivered = true;
			toCall = (this.callbacks != null) ? List.copyOf(this.callbacks) : List.of();
		}
		finally {
			this.callbackMutex.unlock();
		}
		for (Consumer<LockLostException> callback : toCall) {
			callback(callback, lost());
		}
	}

	private void callback(Consumer<LockLostException> callback, LockLostException exception) {
		if (this.closing.get()) {
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
		Waits.get(this.runtime.extend(this, duration.toNanos()));
	}

	@Override
	public boolean release() {
		if (!this.closing.compareAndSet(false, true)) {
			return false;
		}
		Gate.Closing closing = this.hold.grant.gate.close(this);
		boolean held = closing.held();
		CompletableFuture<Boolean> reply = closing.reply();
		if (reply != null) {
			long start = this.runtime.now();
			this.runtime.answerWait.yieldUntil(reply::isDone);
			held = Waits.get(reply);
			this.runtime.answerWait.ended(this.runtime.now() - start);
		}
		finished(held, closing.last());
		return held;
	}

	@Override
	public CompletionStage<Boolean> releaseAsync() {
		if (!this.closing.compareAndSet(false, true)) {
			return CompletableFuture.completedFuture(false);
		}
		Gate.Closing closing = this.hold.grant.gate.close(this);
		if (closing.reply() == null) {
			finished(closing.held(), closing.last());
			return CompletableFuture.completedFuture(closing.held());
		}
		return closing.reply().thenApplyAsync((held) -> {
			finished(held, closing.last());
			return held;
		}, this.runtime.engine.callbackExecutor());
	}

	private void finished(boolean held, boolean last) {
		this.ended = held ? LeaseState.RELEASED : LeaseState.LOST;
		this.hold.owner.closed(this);
		StoreException silence = this.hold.silence;
		if (last && silence != null) {
			this.runtime.listeners().notify((listener) -> listener.onReleaseUnconfirmed(this, silence));
		}
		if (held && last) {
			Duration duration = Duration.ofNanos(this.runtime.now() - this.hold.startedAt);
			this.runtime.listeners().notify((listener) -> listener.onReleased(this, duration));
		}
	}

	@Override
	public void close() {
		if (this.closing.get()) {
			return;
		}
		if (!release() && this.ended == LeaseState.LOST) {
			throw lost();
		}
	}

	@Override
	public String toString() {
		return "Lease[" + key() + ", token " + fencingToken() + ", " + state() + "]";
	}

}
