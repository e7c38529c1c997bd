package io.distributedlock.engine;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;

import io.distributedlock.LockOwner;
import io.distributedlock.LossReason;
import io.distributedlock.spi.StoreException;
import org.jspecify.annotations.Nullable;

/**
 * One owner's turn on a grant: a fencing token, and the leases that the owner has opened
 * under it (more than one if it re-entered, rule E11).
 */
final class Hold {

	/**
	 * {@code HELD -> CLOSING -> RELEASED | LOST}, or {@code HELD -> LOST}. Closing means
	 * that the release is under way and the store's answer decides.
	 */
	enum State {

		HELD, CLOSING, RELEASED, LOST

	}

	final Grant grant;

	final LockOwner owner;

	final long token;

	final long startedAt;

	/** Nested leases can only switch it on. */
	volatile boolean renew;

	final long maxHold;

	/** What renewals ask for; nested leases can only lengthen it. */
	volatile long ttl;

	/** Renewals never set an end earlier than this. */
	private final AtomicLong floor = new AtomicLong();

	/** Before this moment the key is not freed. Written under the gate's mutex. */
	volatile long minHoldEnd;

	/** Written under the gate's mutex. */
	volatile State state = State.HELD;

	/** Why the store has not confirmed the release, null if it has. */
	volatile @Nullable StoreException silence;

	volatile LossReason lossReason = LossReason.EXPIRED;

	/** Open leases, outermost first. Guarded by the gate's mutex. */
	final List<LeaseHandle> leases = new ArrayList<>(1);

	/** The last lease that was closed. Guarded by the gate's mutex. */
	@Nullable LeaseHandle lastClosed;

	/** Only the watchdog's thread uses these two. */
	boolean longHoldReported;

	boolean ownerGoneReported;

	Hold(Grant grant, LockOwner owner, long token, long startedAt, Profile profile) {
		this.grant = grant;
		this.owner = owner;
		this.token = token;
		this.startedAt = startedAt;
		this.renew = profile.renew();
		this.maxHold = profile.maxHold();
		this.ttl = profile.ttl();
		this.minHoldEnd = Clock.plus(startedAt, profile.minHold());
	}

	/**
	 * The owner enters again. What the nested lease asks for can only lengthen the hold.
	 * Called under the gate's mutex.
	 */
	void nest(LeaseHandle lease, Profile profile, long now) {
		this.leases.add(lease);
		this.ttl = Math.max(this.ttl, profile.ttl());
		this.renew |= profile.renew();
		this.minHoldEnd = Math.max(this.minHoldEnd, Clock.plus(now, profile.minHold()));
	}

	boolean isHeld(long now) {
		return this.state == State.HELD && this.grant.isAlive(now);
	}

	void raiseFloor(long moment) {
		this.floor.accumulateAndGet(moment, Math::max);
	}

	boolean isOverMaxHold(long now) {
		return now - this.startedAt >= this.maxHold;
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
		long least = Math.max(this.floor.get(), this.minHoldEnd) - now;
		// What drift takes away is asked for on top.
		return Math.max(this.ttl, (least > 0) ? Profile.ttlFor(least) : 0);
	}

	@Nullable LeaseHandle outermost() {
		return this.leases.isEmpty() ? null : this.leases.get(0);
	}

}
