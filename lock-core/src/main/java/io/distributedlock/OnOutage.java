package io.distributedlock;

/**
 * What happens to a caller that wants a lock while its store is out.
 */
public enum OnOutage {

	/** It gets a {@link LockStoreException}, and does not run. */
	FAIL,

	/**
	 * It runs under a lock of this JVM only: callers of this instance exclude each other,
	 * those of other instances do not. Its lease is {@linkplain Lease#isDegraded()
	 * degraded} and has no fencing token.
	 */
	LOCAL

}
