package io.distributedlock;

import org.jspecify.annotations.Nullable;

/**
 * The store gave no usable answer: an outage, not contention. Nothing is held, and
 * nothing stays locked for longer than the ttl.
 */
public class LockStoreException extends LockException {

	private static final long serialVersionUID = 1L;

	/**
	 * Makes the exception.
	 * @param key which lock, or null if it is about no single one
	 * @param message what happened and what to do
	 * @param cause what the store or its client said, or null
	 */
	public LockStoreException(@Nullable LockKey key, String message, @Nullable Throwable cause) {
		super(key, message, cause, true);
	}

}
