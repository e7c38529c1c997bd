package io.distributedlock.spring;

/**
 * What happens when an annotated method is called within a transaction that was begun
 * outside of it. Releasing the lock when the method ends would let the next holder in
 * before this one's changes are committed.
 */
public enum OnActiveTransaction {

	/**
	 * The lock is kept until the transaction has completed. One warning per method says
	 * that the transaction may have read old data before it had the lock.
	 */
	DEFER,

	/**
	 * The call fails with an
	 * {@link org.springframework.transaction.IllegalTransactionStateException}, before
	 * the lock is asked for.
	 */
	REJECT

}
