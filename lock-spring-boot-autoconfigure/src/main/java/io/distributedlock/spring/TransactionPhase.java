package io.distributedlock.spring;

import org.jspecify.annotations.Nullable;

import org.springframework.core.Ordered;
import org.springframework.transaction.support.TransactionSynchronization;
import org.springframework.transaction.support.TransactionSynchronizationManager;

/**
 * Remembers, for one transaction, whether its end has begun. Spring still calls a
 * transaction active within {@code afterCommit}, where a lock protects nothing of it any
 * more.
 */
final class TransactionPhase implements TransactionSynchronization {

	private boolean ending;

	/**
	 * Registers itself with the transaction of the calling thread, once.
	 */
	static void follow() {
		if (TransactionSynchronizationManager.isSynchronizationActive() && current() == null) {
			TransactionSynchronizationManager.registerSynchronization(new TransactionPhase());
		}
	}

	/**
	 * Tells whether commit or rollback of the transaction of the calling thread has
	 * begun.
	 * @return true if it has; false if not, or if the transaction manager has no
	 * {@link LockTransactionGuard}
	 */
	static boolean isEnding() {
		TransactionPhase current = current();
		return current != null && current.ending;
	}

	private static @Nullable TransactionPhase current() {
		for (TransactionSynchronization synchronization : TransactionSynchronizationManager.getSynchronizations()) {
			if (synchronization instanceof TransactionPhase phase) {
				return phase;
			}
		}
		return null;
	}

	@Override
	public int getOrder() {
		// After the callbacks that still belong to the transaction.
		return Ordered.LOWEST_PRECEDENCE;
	}

	@Override
	public void beforeCommit(boolean readOnly) {
		this.ending = true;
	}

	@Override
	public void beforeCompletion() {
		this.ending = true;
	}

}
