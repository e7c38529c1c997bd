package io.distributedlock.boot.autoconfigure.endpoint;

import org.springframework.boot.actuate.endpoint.OperationResponseBody;

/**
 * How an attempt to release a lock by force ended.
 *
 * @param result how it ended
 * @param message what that means, and what to do
 * @param lock the lock as it is now
 */
public record ForceReleaseDescriptor(Result result, String message,
		LockDescriptor lock) implements OperationResponseBody {

	/**
	 * How an attempt ended.
	 */
	public enum Result {

		/** The lock was taken away from its holder. */
		RELEASED,

		/** The lock is held with another token. Nothing was changed. */
		TOKEN_MISMATCH,

		/** Nobody holds the lock. Nothing was changed. */
		NOT_HELD,

		/**
		 * The store gave no usable answer; the lock may or may not have been released.
		 */
		UNKNOWN

	}

}
