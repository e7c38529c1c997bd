package io.distributedlock.engine;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Future;

import io.distributedlock.Lease;
import io.distributedlock.LockException;
import io.distributedlock.LockOwner;
import io.distributedlock.spi.AttemptId;
import org.jspecify.annotations.Nullable;

/**
 * A caller that has waited for longer than the threshold, and whose owner holds
 * something: it may be part of a deadlock.
 */
final class LongWait {

	/** Stands for this wait, and never for another one, in all JVMs. */
	final String id = AttemptId.random().toString();

	final StoreRuntime runtime;

	final KeyGate gate;

	final Waiter waiter;

	/** In microseconds of the wall clock. */
	final long since;

	/** How many probes it has started. Used by the timer thread alone. */
	int probes;

	private volatile @Nullable Future<?> timer;

	private volatile boolean ended;

	LongWait(StoreRuntime runtime, KeyGate gate, Waiter waiter, long since) {
		this.runtime = runtime;
		this.gate = gate;
		this.waiter = waiter;
		this.since = since;
	}

	LockOwner owner() {
		return this.waiter.owner;
	}

	String keyId() {
		return this.gate.key.id();
	}

	WaitStep.Kind wanted() {
		return WaitStep.Kind.wantedBy(this.waiter.profile);
	}

	/** Tells whether it waits, and for somebody else rather than for the store. */
	boolean isBlocked() {
		return !this.ended && this.waiter.isWaiting() && this.waiter.busy;
	}

	/**
	 * Tells whether the caller has {@linkplain #end gone}. One that was granted the lock
	 * has not: it may be put back in line before it has noticed.
	 */
	boolean isOver() {
		return this.ended;
	}

	WaitStep step(String address, long hold) {
		return new WaitStep(this.id, address, hold, owner().toString(), keyId(), wanted(), this.since);
	}

	/** Returns what the owner holds at this moment. */
	List<LeaseHandle> held() {
		List<LeaseHandle> held = new ArrayList<>();
		for (Lease lease : owner().leases()) {
			if (lease instanceof LeaseHandle handle && handle.isHeld()) {
				held.add(handle);
			}
		}
		return held;
	}

	/**
	 * Names a hold within this JVM. Not by its token: readers share one.
	 */
	static long idOf(Hold hold) {
		return hold.startedAt + 1;
	}

	/**
	 * Returns the hold by which the owner has a lock in the way of somebody who wants it.
	 * @param store whose lock
	 * @param key id of the lock
	 * @param wanted how it is wanted
	 * @return which hold, zero if the owner is not in the way
	 */
	long holdInTheWay(StoreRuntime store, String key, WaitStep.Kind wanted) {
		for (LeaseHandle lease : held()) {
			KeyGate where = lease.hold.grant.gate;
			if (where.runtime() == store && where.key.id().equals(key)
					&& wanted.waitsFor(WaitStep.Kind.heldAt(where))) {
				return idOf(lease.hold);
			}
		}
		return 0;
	}

	/**
	 * The caller stops waiting and gets an exception, unless its fate is decided already.
	 * Its place in the queue is given up as if its time were over.
	 */
	void fail(LockException exception) {
		boolean refused;
		this.runtime.mutex(this.gate.key).lock();
		try {
			refused = this.waiter.refuse(exception);
		}
		finally {
			this.runtime.mutex(this.gate.key).unlock();
		}
		if (refused) {
			this.gate.left(this.waiter);
			this.waiter.deliver();
		}
	}

	void timer(Future<?> next) {
		this.timer = next;
		if (this.ended) {
			next.cancel(false);
		}
	}

	void end() {
		this.ended = true;
		Future<?> pending = this.timer;
		if (pending != null) {
			pending.cancel(false);
		}
	}

}
