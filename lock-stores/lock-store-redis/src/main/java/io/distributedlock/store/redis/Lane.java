package io.distributedlock.store.redis;

import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BiConsumer;

/**
 * Coalesces the operations of many threads (rule R8). At most a few calls are on their
 * way; what comes meanwhile goes out together in the next one. A lone caller finds the
 * lane empty and sends at once, on its own thread.
 * <p>
 * With few callers several small calls at a time give the shortest waits. With many,
 * fewer and larger calls give more, since each has a price of its own on both sides. So a
 * call of many operations has the lane to itself: what gathers until it ends is again a
 * large call.
 */
final class Lane {

	/** Most operations in one script call, so that Redis serves others in between. */
	static final int MOST_PER_CALL = 64;

	private final int window;

	private final int large;

	private final BiConsumer<List<Operation<?>>, Runnable> sender;

	private final Queue<Operation<?>> waiting = new ConcurrentLinkedQueue<>();

	private final AtomicInteger underWay = new AtomicInteger();

	private final AtomicInteger largeUnderWay = new AtomicInteger();

	private final AtomicInteger requests = new AtomicInteger();

	/**
	 * Makes a lane.
	 * @param window how many calls may be under way
	 * @param large from how many operations on a call keeps others from being sent
	 * @param sender sends a call and runs the given action when it has ended
	 */
	Lane(int window, int large, BiConsumer<List<Operation<?>>, Runnable> sender) {
		this.window = window;
		this.large = large;
		this.sender = sender;
	}

	void submit(Operation<?> operation) {
		if (this.waiting.isEmpty() && enter()) {
			this.sender.accept(List.of(operation), this::ended);
			return;
		}
		this.waiting.add(operation);
		sendWaiting();
	}

	void submit(List<? extends Operation<?>> operations) {
		this.waiting.addAll(operations);
		sendWaiting();
	}

	private boolean enter() {
		int now = this.underWay.get();
		while (now < this.window && this.largeUnderWay.get() == 0) {
			if (this.underWay.compareAndSet(now, now + 1)) {
				return true;
			}
			now = this.underWay.get();
		}
		return false;
	}

	/**
	 * One thread at a time sends; a call that fails at once comes back here and must not
	 * pile up on the stack.
	 */
	private void sendWaiting() {
		if (this.requests.getAndIncrement() != 0) {
			return;
		}
		int seen = 1;
		do {
			while (!this.waiting.isEmpty() && enter()) {
				List<Operation<?>> batch = takeBatch();
				if (batch.isEmpty()) {
					this.underWay.decrementAndGet();
				}
				else if (batch.size() >= this.large) {
					this.largeUnderWay.incrementAndGet();
					this.sender.accept(batch, this::largeEnded);
				}
				else {
					this.sender.accept(batch, this::ended);
				}
			}
			seen = this.requests.addAndGet(-seen);
		}
		while (seen != 0);
	}

	private List<Operation<?>> takeBatch() {
		List<Operation<?>> batch = new ArrayList<>();
		while (batch.size() < MOST_PER_CALL) {
			Operation<?> next = this.waiting.poll();
			if (next == null) {
				break;
			}
			if (!next.isDone()) {
				batch.add(next);
			}
		}
		return batch;
	}

	private void largeEnded() {
		this.largeUnderWay.decrementAndGet();
		ended();
	}

	private void ended() {
		this.underWay.decrementAndGet();
		sendWaiting();
	}

	/**
	 * Returns the operations that have not been sent.
	 */
	Iterable<Operation<?>> waiting() {
		return this.waiting;
	}

	/**
	 * Forgets operations that ended while they waited.
	 */
	void dropDone() {
		this.waiting.removeIf(Operation::isDone);
	}

	boolean isIdle() {
		return this.waiting.isEmpty();
	}

}
