package io.distributedlock.spring.cache;

/**
 * What a caller of a cache does that has to load a value and does not get the lock.
 */
public enum OnLockFailure {

	/**
	 * It loads the value itself, as it would without the lock: a cache makes things
	 * faster, and should not make them fail. So a value may be loaded more than once
	 * while the lock store is out, or when loading takes longer than callers wait.
	 */
	LOAD,

	/**
	 * It throws why it did not get the lock, for values that must not be loaded twice at
	 * a time.
	 */
	THROW

}
