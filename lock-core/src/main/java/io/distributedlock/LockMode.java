package io.distributedlock;

/**
 * Whether a caller shares a lock with others.
 */
public enum LockMode {

	/** Alone: nobody else reads or writes meanwhile. What every ordinary lock is. */
	WRITE,

	/**
	 * Together with others that read, and with nobody that writes. Readers carry the
	 * fencing token of the last writer.
	 */
	READ

}
