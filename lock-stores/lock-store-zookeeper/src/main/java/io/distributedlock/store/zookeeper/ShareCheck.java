package io.distributedlock.store.zookeeper;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;

import org.jspecify.annotations.Nullable;

/**
 * What is known of a share of this JVM after one round trip: a write that shows that its
 * session lives, and behind it a read of its key's record.
 *
 * @param grant which share
 * @param record the record, or null if the key has none
 * @param proven whether the session lives
 * @param sent when this was sent
 */
record ShareCheck(Grant grant, @Nullable WaitRecord record, boolean proven, long sent) {

	static CompletableFuture<ShareCheck> of(Grant grant) {
		long sent = System.nanoTime();
		CompletableFuture<Link.Outcome> proof = grant.link.commit(List.of(grant.link.proof()));
		return grant.link.readWaiting(List.of(grant.key.id()))
			.thenCombine(proof,
					(records, proven) -> new ShareCheck(grant, records.get(0).get(), proven.succeeded(), sent));
	}

	private @Nullable HeldRecord held() {
		return (this.record != null) ? this.record.heldShare(this.grant.attempt) : null;
	}

	boolean isGone() {
		return held() == null;
	}

	/** Tells whether it is in another session than its JVM was told. */
	boolean isElsewhere() {
		HeldRecord held = held();
		return held != null && !held.session().equals(this.grant.link.name());
	}

	/** Tells whether the session outlives a ttl that begins now. */
	boolean outlives(Duration ttl) {
		return this.proven && this.grant.link.outlives(this.sent, ttl);
	}

	WaitRecord recordOrEmpty() {
		return (this.record != null) ? this.record : WaitRecord.EMPTY;
	}

}
