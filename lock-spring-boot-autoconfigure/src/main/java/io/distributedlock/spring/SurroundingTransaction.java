package io.distributedlock.spring;

import org.springframework.util.ClassUtils;

/**
 * The transaction that a call of an annotated method finds open.
 */
interface SurroundingTransaction {

	/**
	 * Tells whether there is one whose outcome is still open.
	 * @return true if a lock that is released when the method ends would be released
	 * before the changes are committed
	 */
	boolean isOpen();

	/**
	 * Releases locks when the transaction has completed, whatever its outcome.
	 * @param held the locks
	 */
	void releaseAfterCompletion(HeldLocks held);

	/**
	 * Keeps keys taken if the transaction commits. After a rollback the work may be tried
	 * again at once.
	 * @param held locks that are released after completion
	 */
	void keepAfterCommit(HeldLocks held);

	/**
	 * Refuses a call.
	 * @param message why
	 * @return what to throw
	 */
	RuntimeException refusal(String message);

	/**
	 * Gives access to Spring's transactions if they are on the classpath.
	 * @return the access
	 */
	static SurroundingTransaction detect() {
		return ClassUtils.isPresent("org.springframework.transaction.support.TransactionSynchronizationManager",
				SurroundingTransaction.class.getClassLoader()) ? new SpringTransaction() : new NoTransaction();
	}

	/**
	 * Without Spring's transactions there is never one.
	 */
	final class NoTransaction implements SurroundingTransaction {

		@Override
		public boolean isOpen() {
			return false;
		}

		@Override
		public void releaseAfterCompletion(HeldLocks held) {
			throw refusal("There is no transaction to wait for.");
		}

		@Override
		public void keepAfterCommit(HeldLocks held) {
			throw refusal("There is no transaction to wait for.");
		}

		@Override
		public RuntimeException refusal(String message) {
			return new IllegalStateException(message);
		}

	}

}
