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

	Room(ReaderGate gate, Attempt attempt, long ttl, long deadline, long token, long now) {
		super(gate, attempt.id, ttl, deadline, token, 1, now);
		this.token = token;
		this.ghosts = attempt;
	}

}
