package io.distributedlock.engine;

import java.util.LinkedHashMap;
import java.util.Map;

import io.distributedlock.LockOwner;

/**
 * A grant that readers of this JVM share, each with a hold of its own. Guarded by the
 * mutex of its {@link ReaderGate}.
 */
final class Room extends Grant {

	/** By owner: who enters again nests. */
	final Map<LockOwner, Hold> readers = new LinkedHashMap<>();

	final long token;

	/** The attempt, whose commands without an answer may still be executed. */
	final Attempt ghosts;

	/** Readers that were lost and have not closed their leases. */
	int lostReaders;

	/**
	 * Until when a reader has extended its lease, also one that is not renewed any more.
	 * Written when the room is {@linkplain ReaderGate#tend tended}, just before it is
	 * renewed; who extends later sends a command of its own.
	 */
	private volatile long extendedTo;

	Room(ReaderGate gate, Attempt attempt, long ttl, long deadline, long token, long now) {
		super(gate, attempt.id, ttl, deadline, token, 1, now);
		this.token = token;
		this.ghosts = attempt;
	}

	/** Under the mutex. */
	void extendedTo(long moment) {
		this.extendedTo = moment;
	}

	/**
	 * A renewal on behalf of one reader must not shorten what another one was promised.
	 */
	@Override
	long renewalTtl(Hold hold, long now) {
		long left = this.extendedTo - now;
		return Math.max(super.renewalTtl(hold, now), (left > 0) ? Profile.ttlFor(left) : 0);
	}

}
