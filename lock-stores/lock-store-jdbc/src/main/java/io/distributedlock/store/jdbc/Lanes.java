package io.distributedlock.store.jdbc;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.EnumMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

import org.jspecify.annotations.Nullable;

import io.distributedlock.store.jdbc.Operation.Lane;

/**
 * Operations that wait for a connection. Those of many threads that meet in a lane go out
 * together. Only few batches of a lane are under way at once: what gathers meanwhile
 * makes the next batch large, and one commit serves many.
 * <p>
 * Those that look at the row may be for one lock: one look serves them all, in the order
 * in which they came.
 * <p>
 * Two batches of acquires at a time: while one of them waits for the disk, the other one
 * gathers. Callers come back one after the other, so that with a single one many
 * transactions would be for one caller; a short wait for those that come back was tried
 * and was no better.
 */
final class Lanes {

	private final ReentrantLock mutex = new ReentrantLock();

	private final Condition work = this.mutex.newCondition();

	private final Map<Lane, Track> tracks = new EnumMap<>(Lane.class);

	/** Keys under way: a second batch would only wait for the rows of the first. */
	private final Set<String> busy = new HashSet<>();

	private final Lane[] order = Lane.values();

	private int next;

	private boolean closed;

	/**
	 * Makes the lanes.
	 * @param parallelism how many batches are under way at once
	 */
	Lanes(int parallelism) {
		for (Lane lane : this.order) {
			this.tracks.put(lane, new Track(Math.min(parallelism, window(lane, parallelism))));
		}
	}

	private static int window(Lane lane, int parallelism) {
		return switch (lane) {
			case ACQUIRE, RENEW -> 2;
			case RELEASE, EXTEND, SHARES -> 1;
			// Rows that somebody else has locked must not stop everything.
			case LOOK -> Math.max(1, parallelism - 1);
		};
	}

	/**
	 * Adds operations.
	 * @return false if it is closed
	 */
	boolean add(Lane lane, Collection<? extends Operation<?>> operations) {
		this.mutex.lock();
		try {
			if (this.closed) {
				return false;
			}
			Track track = this.tracks.get(lane);
			track.waiting.addAll(operations);
			if (track.hasRoom()) {
				this.work.signal();
			}
			return true;
		}
		finally {
			this.mutex.unlock();
		}
	}

	/**
	 * Waits for a batch.
	 * @return operations of one lane, sorted by key; null if it is closed
	 */
	@Nullable Batch take() throws InterruptedException {
		this.mutex.lockInterruptibly();
		try {
			while (!this.closed) {
				for (int i = 0; i < this.order.length; i++) {
					Lane lane = this.order[this.next];
					this.next = (this.next + 1) % this.order.length;
					Batch batch = poll(lane);
					if (batch != null) {
						wakeAnother();
						return batch;
					}
				}
				this.work.await();
			}
			return null;
		}
		finally {
			this.mutex.unlock();
		}
	}

	/** One wakes the next, so that no more wake up than there is work for. */
	private void wakeAnother() {
		for (Track track : this.tracks.values()) {
			if (!track.waiting.isEmpty() && track.hasRoom()) {
				this.work.signal();
				return;
			}
		}
	}

	private @Nullable Batch poll(Lane lane) {
		Track track = this.tracks.get(lane);
		if (!track.hasRoom()) {
			return null;
		}
		Queue<Operation<?>> queue = track.waiting;
		List<Operation<?>> batch = new ArrayList<>();
		List<Operation<?>> later = new ArrayList<>();
		Set<String> keys = new HashSet<>();
		while (batch.size() < lane.most() && !queue.isEmpty() && (batch.isEmpty() || !batch.get(0).isAlone())) {
			Operation<?> operation = queue.remove();
			if (operation.isDone()) {
				continue;
			}
			boolean fits = batch.isEmpty() || !operation.isAlone();
			boolean joins = !lane.isQuick() && keys.contains(operation.id());
			if (fits && (joins || this.busy.add(operation.id()))) {
				keys.add(operation.id());
				batch.add(operation);
			}
			else {
				later.add(operation);
			}
		}
		if (!later.isEmpty()) {
			later.addAll(queue);
			queue.clear();
			queue.addAll(later);
		}
		if (batch.isEmpty()) {
			return null;
		}
		batch.sort(Comparator.comparing(Operation::id));
		track.underWay++;
		return new Batch(lane, batch);
	}

	/**
	 * Takes note that a batch is no longer under way. The thread comes for the next one
	 * itself.
	 */
	void ended(Batch batch) {
		this.mutex.lock();
		try {
			this.tracks.get(batch.lane()).underWay--;
			batch.operations().forEach((operation) -> this.busy.remove(operation.id()));
		}
		finally {
			this.mutex.unlock();
		}
	}

	/**
	 * Ends all waiting.
	 * @return what was not sent
	 */
	List<Operation<?>> close() {
		this.mutex.lock();
		try {
			this.closed = true;
			List<Operation<?>> left = new ArrayList<>();
			this.tracks.values().forEach((track) -> {
				left.addAll(track.waiting);
				track.waiting.clear();
			});
			this.work.signalAll();
			return left;
		}
		finally {
			this.mutex.unlock();
		}
	}

	/**
	 * One lane.
	 */
	private static final class Track {

		final Queue<Operation<?>> waiting = new ArrayDeque<>();

		final int window;

		int underWay;

		Track(int window) {
			this.window = window;
		}

		boolean hasRoom() {
			return this.underWay < this.window;
		}

	}

	/**
	 * Operations that share a transaction.
	 *
	 * @param lane what they have in common
	 * @param operations sorted by key; of different locks if the lane is a quick one
	 */
	record Batch(Lane lane, List<Operation<?>> operations) {
	}

}
