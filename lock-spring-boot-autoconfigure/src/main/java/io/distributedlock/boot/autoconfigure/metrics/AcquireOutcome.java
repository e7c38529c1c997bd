package io.distributedlock.boot.autoconfigure.metrics;

import io.distributedlock.LockNotAcquiredException.Reason;

/**
 * How an attempt to get a lock ended: the values of the tag {@code outcome} of the timer
 * {@code lock.acquire}.
 */
enum AcquireOutcome {

	ACQUIRED("acquired"),

	BUSY("busy"),

	TIMED_OUT("timed_out"),

	PREDICTED_TIMEOUT("predicted_timeout"),

	INTERRUPTED("interrupted"),

	SHUTTING_DOWN("shutting_down"),

	DEADLOCK("deadlock"),

	ERROR("error");

	private final String tag;

	AcquireOutcome(String tag) {
		this.tag = tag;
	}

	String tag() {
		return this.tag;
	}

	static AcquireOutcome of(Reason reason) {
		return switch (reason) {
			case BUSY -> BUSY;
			case TIMED_OUT -> TIMED_OUT;
			case PREDICTED_TIMEOUT -> PREDICTED_TIMEOUT;
			case INTERRUPTED -> INTERRUPTED;
			case SHUTTING_DOWN -> SHUTTING_DOWN;
		};
	}

}
