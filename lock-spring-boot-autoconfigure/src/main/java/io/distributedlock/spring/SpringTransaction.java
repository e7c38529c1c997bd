package io.distributedlock.spring;

import io.distributedlock.Lease;
import io.distributedlock.LeaseState;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import org.springframework.core.Ordered;
import org.springframework.transaction.IllegalTransactionStateException;
import org.springframework.transaction.support.TransactionSynchronization;
import org.springframework.transaction.support.TransactionSynchronizationManager;

/**
 * The transaction of the calling thread, as Spring's synchronization shows it.
 */
final class SpringTransaction implements SurroundingTransaction {

	private static final Logger logger = LoggerFactory.getLogger(SpringTransaction.class);

	@Override
	public boolean isOpen() {
		// Without synchronization nobody would say when it ends: so it is within
		// afterCompletion, where registering throws.
		return TransactionSynchronizationManager.isActualTransactionActive()
				&& TransactionSynchronizationManager.isSynchronizationActive() && !TransactionPhase.isCommitting();
	}

	@Override
	public void releaseAfterCompletion(HeldLocks held) {
		TransactionSynchronizationManager.registerSynchronization(new Release(held));
	}

	@Override
	public void keepAfterCommit(HeldLocks held) {
		TransactionSynchronizationManager.registerSynchronization(new Keep(held));
	}

	@Override
	public RuntimeException refusal(String message) {
		return new IllegalTransactionStateException(message);
	}

	private record Keep(HeldLocks held) implements TransactionSynchronization {

		@Override
		public int getOrder() {
			return Ordered.LOWEST_PRECEDENCE - 1;
		}

		@Override
		public void afterCompletion(int status) {
			// After an unknown outcome too: it may have been done.
			if (status != STATUS_ROLLED_BACK) {
				Kept.ifHeld(this.held);
			}
		}

	}

	private record Release(HeldLocks held) implements TransactionSynchronization {

		@Override
		public int getOrder() {
			// After all other callbacks, which may still rely on the lock.
			return Ordered.LOWEST_PRECEDENCE;
		}

		@Override
		public void afterCompletion(int status) {
			if (this.held.release() || status != STATUS_COMMITTED) {
				return;
			}
			for (Lease lease : this.held.leases()) {
				if (lease.state() != LeaseState.LOST) {
					continue;
				}
				logger.atError()
					.addKeyValue("lock.key", lease.key())
					.log("Lock '{}' (token {}) was lost between the last check and the commit of the transaction that"
							+ " it protects. Only a fencing token that the database checks can exclude this.",
							lease.key(), lease.isDegraded() ? 0 : lease.fencingToken());
			}
		}

	}

}
