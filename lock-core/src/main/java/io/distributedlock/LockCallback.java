package io.distributedlock;

/**
 * Work to do under a lock.
 *
 * @param <T> what the work gives
 * @param <E> what the work may throw
 */
@FunctionalInterface
public interface LockCallback<T, E extends Exception> {

	/**
	 * Does the work.
	 * @param lease the lease that is held
	 * @return the result
	 * @throws E as the work likes; it reaches the caller unchanged
	 */
	T call(Lease lease) throws E;

}
