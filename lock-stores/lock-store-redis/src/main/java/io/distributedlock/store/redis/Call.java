package io.distributedlock.store.redis;

import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * One script call on its way, for one or several operations.
 */
final class Call {

	private final List<? extends Operation<?>> operations;

	private final Runnable whenEnded;

	private final AtomicBoolean ended = new AtomicBoolean();

	private final long lastDeadline;

	private final long sentAt;

	Call(List<? extends Operation<?>> operations, long now, Runnable whenEnded) {
		this.operations = operations;
		this.whenEnded = whenEnded;
		this.sentAt = now;
		long last = operations.get(0).deadline();
		for (Operation<?> operation : operations) {
			if (operation.deadline() - last > 0) {
				last = operation.deadline();
			}
		}
		this.lastDeadline = last;
	}

	List<? extends Operation<?>> operations() {
		return this.operations;
	}

	LockScript script() {
		return this.operations.get(0).script();
	}

	/**
	 * Returns the bucket of all its operations.
	 */
	int bucket() {
		return this.operations.get(0).bucket();
	}

	/**
	 * Tells whether there may be grants among the answers. Either all operations of a
	 * call may get one or none does, if that makes a difference.
	 */
	boolean mayGrant() {
		return this.operations.get(0).mayGrant();
	}

	long lastDeadline() {
		return this.lastDeadline;
	}

	long sentAt() {
		return this.sentAt;
	}

	/**
	 * Tells whether somebody still waits for the answer.
	 */
	boolean isOpen() {
		return !this.ended.get();
	}

	/**
	 * Ends the call, once, and makes room for the next.
	 * @return whether it had not ended before
	 */
	boolean end() {
		if (this.ended.get() || !this.ended.compareAndSet(false, true)) {
			return false;
		}
		this.whenEnded.run();
		return true;
	}

}
