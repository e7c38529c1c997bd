package io.distributedlock.spring;

/**
 * What happens to a running method when its lock is lost.
 */
public enum OnLost {

	/**
	 * The method runs on; a transaction that it has open does not commit, and its end is
	 * a {@link io.distributedlock.LockLostException}.
	 */
	THROW,

	/**
	 * The thread that runs the method is interrupted as well, so that blocking work ends
	 * soon. The interrupt never arrives after the method has ended.
	 */
	INTERRUPT

}
