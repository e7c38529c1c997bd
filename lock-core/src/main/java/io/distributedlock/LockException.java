package io.distributedlock;

import org.jspecify.annotations.Nullable;

/**
 * Root of what can go wrong with a lock. Its subclasses tell contention, outage and loss
 * apart.
 */
public abstract class LockException extends RuntimeException {

	private static final long serialVersionUID = 1L;

	private final transient @Nullable LockKey key;

	/**
	 * Makes the exception.
	 * @param key which lock, or null if it is about no single one
	 * @param message what happened, to which lock, and what to do
	 * @param cause why, or null
	 * @param writableStackTrace false to leave the stack trace out, for exceptions that
	 * are thrown in masses
	 */
	protected LockException(@Nullable LockKey key, String message, @Nullable Throwable cause,
			boolean writableStackTrace) {
		super(message, cause, true, writableStackTrace);
		this.key = key;
	}

	/**
	 * Returns which lock this is about.
	 * @return the key; null if it is about no single lock, or after deserialization
	 */
	public @Nullable LockKey key() {
		return this.key;
	}

}
