package io.distributedlock.spring;

/**
 * What a call gets when somebody else holds the lock for longer than it waits.
 */
public enum OnFailure {

	/** The {@link io.distributedlock.LockNotAcquiredException} reaches the caller. */
	THROW,

	/**
	 * The method does not run; the caller gets null or an empty {@code Optional}. For
	 * jobs that another instance does already.
	 */
	SKIP

}
