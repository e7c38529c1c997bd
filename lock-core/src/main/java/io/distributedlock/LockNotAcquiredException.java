package io.distributedlock;

import java.time.Duration;

/**
 * The lock was not had: contention, not an outage. It has no stack trace, since a flash
 * sale throws it in masses and the message says it all.
 */
public class LockNotAcquiredException extends LockException {

	private static final long serialVersionUID = 1L;

	private final Reason reason;

	/**
	 * Makes the exception.
	 * @param key which lock
	 * @param reason why it was not had
	 * @param waited how long the caller waited
	 * @param detail who is in the way, or an empty text
	 */
	public LockNotAcquiredException(LockKey key, Reason reason, Duration waited, String detail) {
		super(key, message(key, reason, waited, detail), null, false);
		this.reason = reason;
	}

	private static String message(LockKey key, Reason reason, Duration waited, String detail) {
		String what = switch (reason) {
			case BUSY -> "is taken, and this caller does not wait";
			case TIMED_OUT -> "was taken for the whole wait time of " + waited.toMillis() + "ms";
			case INTERRUPTED -> "was not acquired: the thread was interrupted after " + waited.toMillis() + "ms";
			case PREDICTED_TIMEOUT -> "was not waited for: it would take longer than this caller waits";
			case SHUTTING_DOWN -> "was not acquired: this instance is shutting down";
		};
		return "Lock '" + key + "' " + what + (detail.isEmpty() ? "" : " (" + detail + ")");
	}

	/**
	 * Returns why the lock was not had.
	 * @return the reason
	 */
	public Reason reason() {
		return this.reason;
	}

	/**
	 * Why a lock was not had.
	 */
	public enum Reason {

		/** Somebody else holds it, and the caller did not want to wait. */
		BUSY,

		/** Somebody else held it for the whole wait time. */
		TIMED_OUT,

		/**
		 * With {@code shed = true}: too many wait already, so that this caller could
		 * probably not be served within its wait time. It was refused at once.
		 */
		PREDICTED_TIMEOUT,

		/** The waiting thread was interrupted; its interrupt flag is set again. */
		INTERRUPTED,

		/** This instance no longer admits callers. */
		SHUTTING_DOWN

	}

}
