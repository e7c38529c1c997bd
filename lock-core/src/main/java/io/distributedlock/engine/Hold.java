package io.distributedlock.engine;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicReferenceFieldUpdater;

import io.distributedlock.LockMode;
import io.distributedlock.LockOwner;
import io.distributedlock.LossReason;
import io.distributedlock.spi.StoreException;
import org.jspecify.annotations.Nullable;

/**
 * One owner's turn on a grant: a fencing token, and the leases that the owner has opened
 * under it (more than one if it re-entered, rule E11).
 * <p>
 * There is one for every lease that an application holds, so what only nested leases and
 * extensions need is not there without them.
 */
final class Hold {

	/**
	 * {@code HELD -> CLOSING -> RELEASED | LOST}, or {@code HELD -> LOST}. Closing means
	 * that the release is under way and the store's answer decides.
	 */
	enum State {

		HELD, CLOSING, RELEASED, LOST

	}

	private static final AtomicReferenceFieldUpdater<Hold, Terms> TERMS = AtomicReferenceFieldUpdater
		.newUpdater(Hold.class, Terms.class, "terms");

	/** Replaced under the gate's mutex when a writer goes on as a reader. */
	volatile Grant grant;

	final LockOwner owner;

	final long token;

	final long startedAt;

	/** The lease that began the hold; all others are nested. */
	final LeaseHandle opener;

	/** Nested leases and extensions replace them by longer ones. */
	private volatile Terms terms;

	/** Written under the gate's mutex. */
	volatile State state = State.HELD;

	/** Why the store has not confirmed the release, null if it has. */
	volatile @Nullable StoreException silence;

	volatile LossReason lossReason = LossReason.EXPIRED;

	// Guarded by the gate's mutex.

	private boolean openerClosed;

	private @Nullable List<LeaseHandle> nested;

	// Only the watchdog's thread uses these two.

	boolean longHoldReported;

	boolean ownerGoneReported;

	Hold(Grant grant, LockOwner owner, long token, long startedAt, Terms terms) {
		this.grant = grant;
		this.owner = owner;
		this.token = token;
		this.startedAt = startedAt;
		this.terms = terms;
		this.opener = new LeaseHandle(this, grant.gate.isForReaders());
	}

	Terms terms() {
		return this.terms;
	}

	/**
	 * The owner enters again. Called under the gate's mutex.
	 */
	void nest(LeaseHandle lease, Terms asked, long now) {
		if (this.nested == null) {
			this.nested = new ArrayList<>(1);
		}
		this.nested.add(lease);
		TERMS.updateAndGet(this, (before) -> before.with(asked, now - this.startedAt));
	}

	/**
	 * Tells whether the owner has ever entered again, so that somebody has seen the token
	 * even if the opener has not. Called under the gate's mutex.
	 */
	boolean wasReentered() {
		return this.nested != null;
	}

	/**
	 * Takes a lease from those that are open. Called under the gate's mutex.
	 * @return true if it was the last one
	 */
	boolean close(LeaseHandle lease) {
		boolean wasOpen;
		if (lease == this.opener) {
			wasOpen = !this.openerClosed;
			this.openerClosed = true;
		}
		else {
			wasOpen = this.nested != null && this.nested.remove(lease);
		}
		return wasOpen && openLeases().isEmpty();
	}

	/**
	 * Returns the leases that are not closed, outermost first. Called under the gate's
	 * mutex.
	 */
	List<LeaseHandle> openLeases() {
		if (this.nested == null) {
			return this.openerClosed ? List.of() : List.of(this.opener);
		}
		List<LeaseHandle> open = new ArrayList<>(this.nested.size() + 1);
		if (!this.openerClosed) {
			open.add(this.opener);
		}
		open.addAll(this.nested);
		return open;
	}

	boolean isHeld(long now) {
		return this.state == State.HELD && isGrantAlive(now) && !(this.grant.gate.isForReaders() && isOverdue(now));
	}

	/** The deadline of a grant that was replaced meanwhile says nothing. */
	private boolean isGrantAlive(long now) {
		Grant asked = this.grant;
		boolean alive = asked.isAlive(now);
		while (!alive && asked != this.grant) {
			asked = this.grant;
			alive = asked.isAlive(now);
		}
		return alive;
	}

	/**
	 * Tells whether any of its leases was opened to write. Called under the gate's mutex.
	 */
	boolean writes() {
		return openLeases().stream().anyMatch((lease) -> lease.mode() == LockMode.WRITE);
	}

	/**
	 * Tells whether the hold has lasted for longer than it could if its grant were not
	 * renewed for others: max-hold and one ttl, or as long as it was extended.
	 */
	boolean isOverdue(long now) {
		Terms asked = this.terms;
		return now - this.startedAt >= Math.max(Clock.plus(asked.maxHold(), asked.ttl()), asked.floor());
	}

	/**
	 * Before this moment the key is not freed.
	 */
	long minHoldEnd() {
		return Clock.plus(this.startedAt, this.terms.minHold());
	}

	/** Renewals never set an end earlier than this. */
	long floorEnd() {
		return Clock.plus(this.startedAt, this.terms.floor());
	}

	void raiseFloor(long moment) {
		TERMS.updateAndGet(this, (before) -> before.withFloor(moment - this.startedAt));
	}

	void keep() {
		TERMS.updateAndGet(this, Terms::kept);
	}

	boolean isOverMaxHold(long now) {
		return now - this.startedAt >= this.terms.maxHold();
	}

	/**
	 * Returns why the watchdog did not renew, if it did not try.
	 */
	LossReason reasonToExpire(long now) {
		if (isOverMaxHold(now)) {
			return LossReason.MAX_HOLD;
		}
		return this.owner.isGone() ? LossReason.OWNER_GONE : LossReason.EXPIRED;
	}

	/**
	 * Returns the ttl that a renewal sent now has to ask for.
	 */
	long renewalTtl(long now) {
		Terms asked = this.terms;
		long least = Clock.plus(this.startedAt, Math.max(asked.floor(), asked.minHold())) - now;
		// What drift takes away is asked for on top.
		return Math.max(asked.ttl(), (least > 0) ? Profile.ttlFor(least) : 0);
	}

}
