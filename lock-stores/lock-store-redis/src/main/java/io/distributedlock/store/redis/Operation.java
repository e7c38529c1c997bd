package io.distributedlock.store.redis;

import java.util.List;
import java.util.concurrent.CompletableFuture;

import io.distributedlock.LockKey;
import io.distributedlock.spi.StoreException;

/**
 * One command for one lock. It is its own result, and ends by its deadline.
 *
 * @param <R> type of the result
 */
abstract class Operation<R> extends CompletableFuture<R> {

	private static final int MOST_RESENDS = 3;

	private final LockScript script;

	private final String id;

	private final int bucket;

	private final long deadline;

	/** Whether a server may have seen it. */
	private volatile boolean sent;

	/** Used by one thread at a time: an operation is in one call at a time. */
	private int resends;

	Operation(LockScript script, LockKey key, int bucket, long deadline) {
		this.script = script;
		this.id = key.id();
		this.bucket = bucket;
		this.deadline = deadline;
	}

	final LockScript script() {
		return this.script;
	}

	final String id() {
		return this.id;
	}

	final int bucket() {
		return this.bucket;
	}

	final long deadline() {
		return this.deadline;
	}

	final void markSent() {
		this.sent = true;
	}

	final boolean wasSent() {
		return this.sent;
	}

	/**
	 * Puts the operations of one script call into the order that the script wants. Asked
	 * of any of them.
	 */
	List<? extends Operation<?>> inOrder(List<? extends Operation<?>> all) {
		return all;
	}

	/**
	 * Adds what is common to all operations of one script call. Asked of the first.
	 */
	abstract void header(List<? extends Operation<?>> all, List<byte[]> keys, List<byte[]> arguments);

	/**
	 * Adds the keys and arguments of this operation.
	 */
	abstract void body(List<byte[]> keys, List<byte[]> arguments);

	/**
	 * Takes the answer.
	 * @param answer what the script said of this operation
	 * @param sentAt when the call was sent
	 * @param receivedAt when the answer came
	 */
	abstract void answered(Answer answer, long sentAt, long receivedAt);

	/**
	 * Tells whether the script may make or prolong a grant for it.
	 */
	boolean mayGrant() {
		return false;
	}

	/**
	 * Tells whether the script has done so.
	 */
	boolean isGrant(Answer answer) {
		return false;
	}

	/**
	 * The script has made or prolonged a grant, but replicas do not have it, so that it
	 * does not count.
	 */
	void unacknowledged(StoreException failure) {
		fail(failure);
	}

	/**
	 * The server found the command too late. If the answer came in time, then its clock
	 * is not where it was expected: it was never seen before, or was set, or another
	 * server took over. Then it is sent again, with a limit by the clock as it is now.
	 * @param serverTime what the server's clock says
	 * @param receivedAt when the answer came
	 */
	final void late(StoreContext context, long serverTime, long receivedAt) {
		context.clock(this.bucket).reset(serverTime, receivedAt);
		if (this.deadline - receivedAt > 0 && this.resends < MOST_RESENDS) {
			this.resends++;
			context.resend(this);
			return;
		}
		fail(RedisErrors.late(context.address()));
	}

	final void fail(StoreException failure) {
		completeExceptionally(failure);
	}

}
