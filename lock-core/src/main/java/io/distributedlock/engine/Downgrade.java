package io.distributedlock.engine;

import java.util.concurrent.CompletableFuture;

import io.distributedlock.spi.AttemptId;

/**
 * A writer that goes on as a reader, from the moment when its last lease to write was
 * closed until it is known whether the store lets others in. Guarded by the mutex of its
 * {@link Gate}.
 */
final class Downgrade {

	/** The writer's hold, which has only leases to read any more. */
	final Hold hold;

	/** Names the share that takes the place of the exclusive grant. */
	final Attempt share = new Attempt(AttemptId.random());

	/** Where the hold goes. */
	final ReaderGate readers;

	/** Told to who closed the last lease to write: false if the lock is lost. */
	final CompletableFuture<Boolean> reply = new CompletableFuture<>();

	/** Then that caller does not wait for the first command any more. */
	final long unsentUntil;

	/** The right to set the grant's ttl is ours; it is kept until the end. */
	boolean armed;

	/** The store may have the share instead of the exclusive grant. */
	boolean sent;

	/** A command was sent that got no answer. */
	boolean inDoubt;

	Downgrade(Hold hold, ReaderGate readers, long unsentUntil) {
		this.hold = hold;
		this.readers = readers;
		this.unsentUntil = unsentUntil;
	}

}
