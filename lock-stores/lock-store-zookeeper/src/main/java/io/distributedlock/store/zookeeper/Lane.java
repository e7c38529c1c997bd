package io.distributedlock.store.zookeeper;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.ReentrantLock;

import org.apache.zookeeper.KeeperException.Code;
import org.apache.zookeeper.Op;

/**
 * Sends steps of many keys that meet in one transaction. If one of them is refused,
 * ZooKeeper executes none and says which one it was; the others go out again without it.
 * At most two transactions are on their way, so that steps can meet; a lone one goes out
 * at once.
 */
final class Lane {

	private static final int UNDER_WAY = 2;

	private static final int BATCH = 32;

	private final Link link;

	private final ReentrantLock mutex = new ReentrantLock();

	private final Deque<Step> waiting = new ArrayDeque<>();

	private final AtomicInteger sending = new AtomicInteger();

	private int underWay;

	/** How many callers are about to submit more. */
	private int holders;

	/** How many of those that wait are to be sent without waiting for answers. */
	private int burst;

	Lane(Link link) {
		this.link = link;
	}

	void submit(Step step) {
		this.mutex.lock();
		try {
			this.waiting.addLast(step);
		}
		finally {
			this.mutex.unlock();
		}
		sendWaiting();
	}

	/**
	 * Sends nothing until {@link #letGo}: the caller submits many steps, and is done
	 * soon.
	 */
	void hold() {
		this.mutex.lock();
		try {
			this.holders++;
		}
		finally {
			this.mutex.unlock();
		}
	}

	/** Sends what has been submitted meanwhile, all at once. */
	void letGo() {
		this.mutex.lock();
		try {
			this.holders--;
			this.burst = this.waiting.size();
		}
		finally {
			this.mutex.unlock();
		}
		sendWaiting();
	}

	/**
	 * Sends what can be sent. Only one thread does this at a time, so that what was
	 * submitted first is sent first; others leave it a note to look again. No mutex is
	 * held: a handle that is closed answers on this very thread.
	 */
	private void sendWaiting() {
		if (this.sending.getAndIncrement() != 0) {
			return;
		}
		int noted = 1;
		while (noted != 0) {
			for (List<Step> batch = nextBatch(); !batch.isEmpty(); batch = nextBatch()) {
				send(batch);
			}
			noted = this.sending.addAndGet(-noted);
		}
	}

	private List<Step> nextBatch() {
		List<Step> batch = new ArrayList<>();
		this.mutex.lock();
		try {
			boolean open = this.holders == 0 && (this.burst > 0 || this.underWay < UNDER_WAY);
			while (open && batch.size() < BATCH && !this.waiting.isEmpty()) {
				batch.add(this.waiting.removeFirst());
			}
			this.burst = Math.max(0, this.burst - batch.size());
			if (!batch.isEmpty()) {
				this.underWay++;
			}
		}
		finally {
			this.mutex.unlock();
		}
		return batch;
	}

	private void send(List<Step> taken) {
		List<Step> batch = taken.stream().filter(Step::begin).toList();
		if (batch.isEmpty()) {
			ended();
			return;
		}
		List<Op> operations = new ArrayList<>(3 * batch.size() + 1);
		int[] starts = new int[batch.size()];
		boolean needsId = false;
		for (int i = 0; i < starts.length; i++) {
			Step step = batch.get(i);
			starts[i] = operations.size();
			operations.addAll(step.operations());
			needsId |= step.needsId();
		}
		if (needsId) {
			operations.add(this.link.proof());
		}
		boolean hasId = needsId;
		this.link.send(operations, (outcome) -> answered(batch, starts, hasId, outcome));
	}

	private void ended() {
		this.mutex.lock();
		try {
			this.underWay--;
		}
		finally {
			this.mutex.unlock();
		}
	}

	private void answered(List<Step> batch, int[] starts, boolean hasId, Link.Outcome outcome) {
		int refused = -1;
		if (outcome.isAboutOne()) {
			for (int i = 0; i < starts.length && starts[i] <= outcome.failed(); i++) {
				refused = i;
			}
		}
		boolean again = refused >= 0 && batch.size() > 1;
		this.mutex.lock();
		try {
			this.underWay--;
			for (int i = batch.size() - 1; again && i >= 0; i--) {
				if (i != refused) {
					this.waiting.addFirst(batch.get(i));
				}
			}
		}
		finally {
			this.mutex.unlock();
		}
		// The next transaction is on its way while answers are delivered.
		sendWaiting();
		if (refused >= 0) {
			Step step = batch.get(refused);
			int offset = outcome.failed() - starts[refused];
			deliver(() -> {
				if (outcome.isAnswer()) {
					step.refused(offset, outcome.code());
				}
				else {
					step.failed(outcome.code());
				}
			});
			return;
		}
		for (Step step : batch) {
			if (outcome.succeeded()) {
				deliver(() -> step.done(hasId ? outcome.zxid() : 0));
			}
			else {
				deliver(() -> step.failed(outcome.code()));
			}
		}
	}

	private static void deliver(Runnable answer) {
		try {
			answer.run();
		}
		catch (Throwable ex) {
			// One that fails must not keep the others from their answers.
			ZooKeeperLockStore.logger.error("An answer of ZooKeeper could not be handled", ex);
		}
	}

	/**
	 * What is to be done for one key.
	 */
	interface Step {

		/**
		 * Called each time before it is sent.
		 * @return false if it is not to be sent any more
		 */
		boolean begin();

		List<Op> operations();

		/** Tells whether {@link #done} needs the id of the transaction. */
		boolean needsId();

		void done(long zxid);

		/**
		 * It was refused because of a node's state.
		 * @param operation which of its operations; one more than these for the session's
		 * own
		 */
		void refused(int operation, Code code);

		/** Nobody knows whether it was executed, or ZooKeeper does not permit it. */
		void failed(Code code);

	}

}
