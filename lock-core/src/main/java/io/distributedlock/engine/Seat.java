package io.distributedlock.engine;

import java.util.Objects;

import io.distributedlock.spi.AttemptId;
import org.jspecify.annotations.Nullable;

/**
 * One caller at a {@link CallerGate}, and what it has in the store. Guarded by the gate's
 * mutex.
 */
final class Seat {

	final Waiter waiter;

	Attempt attempt = new Attempt(AttemptId.random());

	// Written by the gate's agenda.

	/** Smaller than that of any seat that came later; of no other seat. */
	long number = -1;

	/** A command is under way for it. */
	boolean asked;

	/** It is to be asked for as soon as no command is under way. */
	boolean due;

	/** When it is due by itself. */
	long dueAt = Long.MAX_VALUE;

	// Written by the gate.

	@Nullable Hold hold;

	Seat(Waiter waiter) {
		this.waiter = waiter;
	}

	Hold hold() {
		return Objects.requireNonNull(this.hold, "hold");
	}

}
