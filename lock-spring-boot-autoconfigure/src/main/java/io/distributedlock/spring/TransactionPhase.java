package io.distributedlock.spring;

import org.jspecify.annotations.Nullable;

import org.springframework.transaction.support.TransactionSynchronization;
import org.springframework.transaction.support.TransactionSynchronizationManager;

/**
 * Remembers, for one transaction, whether its commit has begun. Spring still calls a
 * transaction active within {@code afterCommit}, where a lock protects nothing of it any
 * more. Kept among the synchronizations, since those are suspended, resumed and dropped
 * with the transaction.
 */
final class TransactionPhase implements TransactionSynchronization {

	private boolean committing;

	/**
	 * Joins the transaction of the calling thread, once.
	 */
	static void join() {
		if (TransactionSynchronizationManager.isSynchronizationActive() && current() == null) {
			TransactionSynchronizationManager.registerSynchronization(new TransactionPhase());
		}
	}

	/**
	 * Notes that the transaction of the calling thread commits now.
	 */
	static void enterCommit() {
		TransactionPhase current = TransactionSynchronizationManager.isSynchronizationActive() ? current() : null;
		if (current != null) {
			current.committing = true;
		}
	}

	/**
	 * Tells whether the commit of the transaction of the calling thread has begun.
	 * @return true if it has; false if not, or if the transaction manager has no
	 * {@link LockTransactionGuard}
	 */
	static boolean isCommitting() {
		TransactionPhase current = current();
		return current != null && current.committing;
	}

	private static @Nullable TransactionPhase current() {
		for (TransactionSynchronization synchronization : TransactionSynchronizationManager.getSynchronizations()) {
			if (synchronization instanceof TransactionPhase phase) {
				return phase;
			}
		}
		return null;
	}

}
