package io.distributedlock.engine;

import io.distributedlock.spi.AttemptId;
import io.distributedlock.spi.StoreException;
import org.jspecify.annotations.Nullable;

/**
 * What a {@link Gate} knows of the attempt with which it asks the store, from its first
 * question until the lock is granted or nobody wants it any more. The attempt is the
 * gate's, not a caller's: callers come and go without touching the place in the store's
 * queue. Guarded by the gate's mutex.
 */
final class Attempt {

	final AttemptId id;

	/** The longest that was asked for under this id. */
	long ttl;

	boolean sentBefore;

	/** The store may have a queue entry, a reservation or a grant for it. */
	boolean mayHaveTraces;

	/** Until then a command without an answer may still be executed. */
	long ghostUntil;

	/** Somebody else is first, or is given the chance to be. */
	boolean refused;

	/** The store has said so. */
	boolean refusedByStore;

	/** Who that is, for messages. */
	String holder = "";

	/** Questions in a row to a store that cannot signal, or cannot be reached. */
	int polls;

	/** Why the last question got no answer, null if it got one. */
	@Nullable StoreException outage;

	Attempt(AttemptId id) {
		this.id = id;
	}

}
