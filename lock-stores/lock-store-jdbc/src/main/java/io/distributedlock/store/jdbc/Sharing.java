package io.distributedlock.store.jdbc;

import java.time.Duration;

import org.jspecify.annotations.Nullable;

import io.distributedlock.spi.AcquireReply;
import io.distributedlock.spi.AttemptId;
import io.distributedlock.spi.DowngradeReply;
import io.distributedlock.spi.ExtendReply;
import io.distributedlock.spi.ReleaseReply;
import io.distributedlock.spi.RenewReply;
import io.distributedlock.spi.Share;
import io.distributedlock.store.jdbc.Claim.Kind;
import io.distributedlock.store.jdbc.Claim.State;

/**
 * The commands of those that share a lock (rule S3), on a row that is locked. A
 * reservation of a share is a share that ends soon, so that many can be served at once.
 */
final class Sharing {

	private final LockRow row;

	private final Shares shares;

	Sharing(LockRow row) {
		this.row = row;
		this.shares = row.shares();
	}

	AcquireReply acquire(String attempt, Share share, Duration ttl, boolean queue) {
		Claim mine = this.shares.get(attempt);
		boolean queued = queue && this.row.rules().subscribed();
		if (mine == null) {
			mine = ask(attempt, share, queued);
		}
		if (mine == null) {
			return this.row.refused(queued);
		}
		// The client counts from its latest send, so the ttl begins once more.
		long token = mine.isHeld() ? mine.token() : token(mine);
		this.shares.put(mine.become(State.HELD, token, this.row.until(ttl)));
		return new AcquireReply.Granted(token, 1);
	}

	private @Nullable Claim ask(String attempt, Share share, boolean queued) {
		Kind kind = Kind.of(share);
		int permits = (share instanceof Share.Permits limited) ? limited.limit() : 0;
		if (queued) {
			this.row.enqueue(kind, attempt, permits);
			this.row.serve((place) -> place.attempt().equals(attempt));
		}
		else if (this.row.isOpen() && this.shares.hasRoom(kind, permits) && !this.row.isWaitedFor()) {
			return Claim.place(kind, this.row.rules().instance(), attempt, permits, this.row.now(), this.row.now());
		}
		return this.shares.get(attempt);
	}

	private long token(Claim claim) {
		return (claim.kind() == Kind.PERMITS) ? this.row.takeTokens(1) : this.row.readersToken();
	}

	RenewReply renew(String attempt, Duration ttl) {
		Claim mine = this.shares.held(attempt);
		if (mine == null) {
			return RenewReply.NOT_OWNER;
		}
		this.shares.put(mine.again(attempt, this.row.until(ttl)));
		return RenewReply.RENEWED;
	}

	ExtendReply extend(String attempt, Duration ttl) {
		Claim mine = this.shares.held(attempt);
		if (mine == null) {
			return new ExtendReply.NotOwner();
		}
		if (this.row.isWaitedFor()) {
			return new ExtendReply.Yield();
		}
		this.shares.put(mine.again(attempt, this.row.until(ttl)));
		return new ExtendReply.Extended(mine.token(), 1);
	}

	ReleaseReply release(String attempt, Duration keepFor) {
		Claim mine = this.shares.held(attempt);
		if (mine == null) {
			return new ReleaseReply.NotOwner();
		}
		this.shares.remove(attempt);
		if (keepFor.compareTo(Duration.ZERO) > 0) {
			// Under another name: the attempt has nothing any more.
			this.shares
				.put(mine.again(AttemptId.random().toString(), 0).become(State.COOLING, 0, this.row.until(keepFor)));
			return new ReleaseReply.Released(false);
		}
		return new ReleaseReply.Released(this.row.serve(LockRow.NOBODY));
	}

	/**
	 * Turns the grant of one that is alone into a reader's share.
	 */
	DowngradeReply downgrade(String writer, String reader, Duration ttl) {
		Claim mine = this.shares.held(reader);
		if (mine == null && !this.row.holds(writer)) {
			return new DowngradeReply.NotOwner();
		}
		if (mine != null) {
			this.shares.put(mine.again(reader, this.row.until(ttl)));
			return new DowngradeReply.Downgraded(mine.token());
		}
		this.row.open();
		long token = this.row.readersToken();
		Claim share = Claim.place(Kind.READERS, this.row.rules().instance(), reader, 0, this.row.now(), this.row.now());
		this.shares.put(share.become(State.HELD, token, this.row.until(ttl)));
		this.row.serve(LockRow.NOBODY);
		return new DowngradeReply.Downgraded(token);
	}

	void abandon(String attempt) {
		this.row.leaveTrace();
		this.shares.remove(attempt);
		this.row.line().remove(this.row.rules().instance(), attempt);
		this.row.serve(LockRow.NOBODY);
	}

}
