package io.distributedlock.boot.autoconfigure.support;

import java.time.Duration;
import java.util.function.Supplier;

import io.distributedlock.Lease;
import io.distributedlock.LockKey;
import io.distributedlock.LockListener;
import io.distributedlock.LockLostException;
import io.distributedlock.LockNotAcquiredException;
import io.distributedlock.LockNotAcquiredException.Reason;
import io.distributedlock.LockStoreException;
import io.distributedlock.LossReason;

/**
 * Tells a listener what an engine would tell it.
 */
public final class LockEvents {

	public static final Duration WAITED = Duration.ofMillis(20);

	public static final Duration HELD = Duration.ofMillis(300);

	private final LockListener listener;

	public LockEvents(LockListener listener) {
		this.listener = listener;
	}

	public void acquired(Lease lease) {
		this.listener.onAcquired(lease, WAITED);
	}

	public void released(Lease lease) {
		this.listener.onReleased(lease, HELD);
	}

	public void lost(Lease lease, LossReason reason) {
		this.listener.onLost(lease, new LockLostException(lease.key(), reason, lease.fencingToken(), ""), HELD);
	}

	public void refused(LockKey key, Reason reason) {
		this.listener.onRefused(key, "redis", new LockNotAcquiredException(key, reason, WAITED, ""), WAITED);
	}

	public void failed(LockKey key) {
		this.listener.onFailed(key, "redis", new LockStoreException(key, "Redis is away", null), WAITED);
	}

	/**
	 * Everything that can be told, at least once.
	 * @param leases makes a lease
	 */
	public void all(Supplier<Lease> leases) {
		Lease lease = leases.get();
		LockKey key = lease.key();
		this.listener.onWaiting(key, "redis");
		this.listener.onWaitingEnded(key, "redis");
		acquired(lease);
		this.listener.onLongHold(lease, HELD);
		released(lease);
		this.listener.onReleaseUnconfirmed(lease, new IllegalStateException("no answer"));
		for (LossReason reason : LossReason.values()) {
			acquired(lease);
			lost(lease, reason);
		}
		for (Reason reason : Reason.values()) {
			refused(key, reason);
		}
		failed(key);
		this.listener.onLocalHandoff(key, "redis");
		this.listener.onRemoteHandoff(key, "redis");
		this.listener.onRenewals("redis", 3, 2, 1);
	}

}
