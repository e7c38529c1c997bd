package io.distributedlock.spi;

import org.jspecify.annotations.Nullable;

/**
 * A store gave no usable answer to a command. The engine turns it into a
 * {@link io.distributedlock.LockStoreException} that names the lock.
 */
public class StoreException extends RuntimeException {

	private static final long serialVersionUID = 1L;

	private final boolean executed;

	private final boolean retryable;

	/**
	 * Makes the exception.
	 * @param message what happened and what to do about it, without the lock
	 * @param mayHaveExecuted false only if it is certain that the store has not executed
	 * the command and never will
	 * @param retryable true if the same command may succeed a moment later without
	 * anybody doing anything
	 * @param cause what the store's client said, or null
	 */
	public StoreException(String message, boolean mayHaveExecuted, boolean retryable, @Nullable Throwable cause) {
		super(message, cause);
		this.executed = mayHaveExecuted;
		this.retryable = retryable;
	}

	/**
	 * Tells whether the outcome is unknown.
	 * @return false only if it is certain that the store has not executed the command and
	 * never will
	 */
	public boolean mayHaveExecuted() {
		return this.executed;
	}

	/**
	 * Tells whether it may pass by itself.
	 * @return true for a lost connection, a timeout, a failover; false for a missing
	 * permission
	 */
	public boolean isRetryable() {
		return this.retryable;
	}

}
