package io.distributedlock.store.jdbc;

import java.util.concurrent.CompletableFuture;

import io.distributedlock.LockKey;
import io.distributedlock.spi.StoreException;

/**
 * One command for one lock. It is its own result, and ends by its deadline.
 *
 * @param <R> type of the result
 */
abstract class Operation<R> extends CompletableFuture<R> {

	private final LockKey key;

	private final long deadline;

	private final Lane lane;

	/** Whether the database may have seen it. */
	private volatile boolean sent;

	/** Whether it shares a transaction with nobody. */
	private volatile boolean alone;

	Operation(LockKey key, long deadline, Lane lane) {
		this.key = key;
		this.deadline = deadline;
		this.lane = lane;
	}

	final LockKey key() {
		return this.key;
	}

	final String id() {
		return this.key.id();
	}

	/** Reading of {@link System#nanoTime()} by which it ends. */
	final long deadline() {
		return this.deadline;
	}

	/** Where it waits for its first try. */
	final Lane lane() {
		return this.lane;
	}

	final void markSent() {
		this.sent = true;
	}

	/** The transaction it was part of is known to have changed nothing. */
	final void markUnsent() {
		this.sent = false;
	}

	/**
	 * The transaction that it shared failed because of one of them. They are tried again
	 * one by one.
	 */
	final void markAlone() {
		this.alone = true;
	}

	final boolean isAlone() {
		return this.alone;
	}

	final boolean wasSent() {
		return this.sent;
	}

	/**
	 * Does what is asked for, on a locked row. The answer counts once the transaction has
	 * been committed.
	 */
	abstract R run(LockRow row);

	/**
	 * Takes the answer.
	 */
	void answered(R answer) {
		complete(answer);
	}

	/** Whether it must not take effect after its deadline. */
	boolean isForbiddenLate() {
		return false;
	}

	/** Whether a row has to be written only because this was asked. */
	boolean isReadOnly() {
		return false;
	}

	final boolean isLate() {
		return this.deadline - System.nanoTime() <= 0;
	}

	final void fail(StoreException failure) {
		completeExceptionally(failure);
	}

	/**
	 * Operations that meet in a lane share a transaction.
	 */
	enum Lane {

		/** Renewals of grants that nobody has touched. */
		RENEW(500),

		/** Renewals and releases of shares. */
		SHARES(500),

		/** Releases of grants that nobody waits for. */
		RELEASE(64),

		/** Acquires of locks that are free. */
		ACQUIRE(64),

		/** More tokens for grants that nobody waits for. */
		EXTEND(64),

		/** All that needs a look at the row or the queue. */
		LOOK(64);

		private final int most;

		Lane(int most) {
			this.most = most;
		}

		/** Whether one statement may be enough. */
		boolean isQuick() {
			return this != LOOK && this != SHARES;
		}

		/** Most operations in one transaction. */
		int most() {
			return this.most;
		}

	}

}
