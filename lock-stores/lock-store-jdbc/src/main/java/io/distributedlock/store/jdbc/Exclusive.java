package io.distributedlock.store.jdbc;

import java.time.Duration;

import io.distributedlock.spi.AcquireReply;
import io.distributedlock.spi.ExtendReply;
import io.distributedlock.spi.QueueingLockStore.Successor;
import io.distributedlock.spi.ReleaseReply;
import io.distributedlock.spi.RenewReply;
import io.distributedlock.store.jdbc.Claim.Kind;

/**
 * The commands of JVMs that want a lock for themselves (rules R3 to R6), on a row that is
 * locked.
 */
final class Exclusive {

	private final LockRow row;

	Exclusive(LockRow row) {
		this.row = row;
	}

	AcquireReply acquire(String attempt, Duration ttl, int tokens, boolean enqueue) {
		if (this.row.holds(attempt)) {
			return this.row.heldAlready(ttl, tokens);
		}
		if (this.row.isFree() || this.row.isReservedFor(attempt)) {
			this.row.line().remove(place());
			return this.row.grant(attempt, ttl, tokens);
		}
		boolean queued = enqueue && this.row.rules().subscribed();
		if (queued) {
			this.row.enqueue(Kind.ALONE, attempt, 0);
		}
		return this.row.refused(queued);
	}

	ReleaseReply release(String attempt, Duration keepFor) {
		if (!this.row.holds(attempt)) {
			return new ReleaseReply.NotOwner();
		}
		if (keepFor.compareTo(Duration.ZERO) > 0) {
			this.row.coolDown(keepFor);
			return new ReleaseReply.Released(false);
		}
		return new ReleaseReply.Released(this.row.passOn(LockRow.NOBODY));
	}

	/**
	 * Releases, and grants to the successor or puts it behind the others.
	 */
	ReleaseReply releaseAndEnqueue(String attempt, Successor successor) {
		String next = successor.attempt().toString();
		if (!this.row.holds(attempt)) {
			return repeatedRelease(next, successor);
		}
		this.row.line().remove(place());
		if (!this.row.passOn(LockRow.NOBODY)) {
			AcquireReply.Granted granted = this.row.grant(next, successor.ttl(), successor.tokens());
			return new ReleaseReply.Succeeded(granted.firstToken(), granted.tokens());
		}
		boolean queued = this.row.rules().subscribed();
		if (queued) {
			this.row.enqueue(Kind.ALONE, next, 0);
		}
		return new ReleaseReply.Queued(queued);
	}

	/**
	 * "Not owner" promises that the successor has nothing, so a command whose first reply
	 * was lost is told what its successor has.
	 */
	private ReleaseReply repeatedRelease(String next, Successor successor) {
		if (this.row.holds(next) || this.row.isReservedFor(next)) {
			AcquireReply reply = acquire(next, successor.ttl(), successor.tokens(), false);
			if (reply instanceof AcquireReply.Granted granted) {
				return new ReleaseReply.Succeeded(granted.firstToken(), granted.tokens());
			}
		}
		Claim waiting = this.row.line().get(place());
		if (waiting != null && waiting.attempt().equals(next) && waiting.isAlive(this.row.now())) {
			this.row.enqueue(Kind.ALONE, next, 0);
			return new ReleaseReply.Queued(true);
		}
		return new ReleaseReply.NotOwner();
	}

	RenewReply renew(String attempt, Duration ttl) {
		if (!this.row.holds(attempt)) {
			return RenewReply.NOT_OWNER;
		}
		this.row.live(ttl);
		return RenewReply.RENEWED;
	}

	ExtendReply extend(String attempt, Duration ttl, int tokens) {
		if (!this.row.holds(attempt)) {
			return new ExtendReply.NotOwner();
		}
		this.row.line().prune(this.row.now());
		if (this.row.line().hasOthersThan(this.row.rules().instance())) {
			return new ExtendReply.Yield();
		}
		long first = this.row.takeTokens(tokens);
		this.row.live(ttl);
		return new ExtendReply.Extended(first, tokens);
	}

	/**
	 * Takes away whatever the attempt has, also if it is one in strict order.
	 */
	void abandon(String attempt) {
		this.row.leaveTrace();
		this.row.line().remove(this.row.rules().instance(), attempt);
		if (this.row.holds(attempt) || this.row.isReservedFor(attempt)) {
			this.row.passOn(LockRow.NOBODY);
		}
		else if (this.row.isOpen()) {
			this.row.serve(LockRow.NOBODY);
		}
	}

	private String place() {
		return Claim.alone(this.row.rules().instance());
	}

}
