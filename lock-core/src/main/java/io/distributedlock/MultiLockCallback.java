package io.distributedlock;

/**
 * Work that runs under several locks.
 *
 * @param <T> what the work gives
 * @param <E> what the work may throw
 */
@FunctionalInterface
public interface MultiLockCallback<T, E extends Exception> {

	/**
	 * Does the work.
	 * @param leases the leases that are held
	 * @return the result
	 * @throws E as the work likes; it reaches the caller unchanged
	 */
	T call(MultiLease leases) throws E;

}
