package io.distributedlock.spring;

import java.time.Duration;
import java.util.function.Supplier;

import io.distributedlock.Lease;
import io.distributedlock.LeaseState;
import io.distributedlock.LockContext;
import io.distributedlock.LockLostException;
import io.distributedlock.LossReason;
import org.jspecify.annotations.Nullable;

import org.springframework.transaction.TransactionExecution;
import org.springframework.transaction.TransactionExecutionListener;
import org.springframework.transaction.TransactionStatus;

/**
 * Lets no transaction commit on a thread whose lock was lost (rule E15): right before the
 * commit, each {@linkplain LockContext#leases() lease around the running code} must be
 * held with a little time left, or else the transaction rolls back with
 * {@link LockLostException}. It holds for the transaction of an annotated method, for one
 * around it, and for new and nested ones within it; savepoints are checked as well.
 * Transactions that only read are let through, since they change nothing.
 */
public final class LockTransactionGuard implements TransactionExecutionListener {

	private final Supplier<Duration> commitMargin;

	/**
	 * Makes a guard.
	 * @param commitMargin how much time must be left before a commit begins
	 */
	public LockTransactionGuard(Supplier<Duration> commitMargin) {
		this.commitMargin = commitMargin;
	}

	@Override
	public void afterBegin(TransactionExecution transaction, @Nullable Throwable beginFailure) {
		if (beginFailure == null && isOfThread(transaction)) {
			TransactionPhase.join();
		}
	}

	// The last call before the commit itself, after all synchronizations.
	@Override
	public void beforeCommit(TransactionExecution transaction) {
		if (!isOfThread(transaction)) {
			return;
		}
		if (!transaction.isReadOnly()) {
			LockContext.leases().forEach(this::requireHeld);
		}
		// Not for a savepoint, whose transaction goes on.
		if (transaction.isNewTransaction()) {
			TransactionPhase.enterCommit();
		}
	}

	// A reactive transaction has no thread, hence no leases of its thread.
	private static boolean isOfThread(TransactionExecution transaction) {
		return transaction instanceof TransactionStatus;
	}

	private void requireHeld(Lease lease) {
		if (lease.state() == LeaseState.RELEASED) {
			return;
		}
		lease.assertHeld();
		Duration margin = this.commitMargin.get();
		Duration remaining = lease.remaining();
		if (remaining.compareTo(margin) < 0) {
			throw new LockLostException(lease.key(), LossReason.EXPIRED, lease.isDegraded() ? 0 : lease.fencingToken(),
					"The transaction was rolled back, since " + remaining.toMillis()
							+ "ms were left before its commit and " + margin.toMillis()
							+ "ms are needed (distributed-lock.transaction.commit-margin).");
		}
	}

}
