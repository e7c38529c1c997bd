package io.distributedlock.store.jdbc;

import java.time.Duration;
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
 * Callers that got their answers from one batch come back one after the other, and the
 * first of them would go out alone and make the disk work for one. So after a large batch
 * of acquires the next one waits a moment until most of them are there again.
 */
final class Lanes {

	/** A fraction of what a disk takes. */
	static final Duration GATHER = Duration.ofNanos(300_000);

	/** Fewer than that in a batch are not worth a wait. */
	private static final int FEW = 4;

	private final ReentrantLock mutex = new ReentrantLock();

	private final Condition work = this.mutex.newCondition();

	private final Map<Lane, Track> tracks = new EnumMap<>(Lane.class);

	/** Keys under way: a second batch would only wait for the rows of the first. */
	private final Set<String> busy = new HashSet<>();

	private final Lane[] order = Lane.values();

	private final long gather;

	private int next;

	private boolean gathering;

	private boolean closed;

	/**
	 * Makes the lanes.
	 * @param parallelism how many batches are under way at once
	 * @param gather how long those are waited for that probably come back
	 */
	Lanes(int parallelism, Duration gather) {
		this.gather = gather.toNanos();
		for (Lane lane : this.order) {
			this.tracks.put(lane, new Track(Math.min(parallelism, window(lane, parallelism))));
		}
	}

	private static int window(Lane lane, int parallelism) {
		return switch (lane) {
			case ACQUIRE, RENEW -> 2;
			case RELEASE, EXTEND -> 1;
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
			boolean first = track.waiting.isEmpty();
			if (first) {
				track.since = System.nanoTime();
			}
			track.waiting.addAll(operations);
			// Whoever was woken by the first looks again by itself.
			if (track.hasRoom() && (first || track.waiting.size() >= track.expected)) {
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
	 * @return operations of one lane and of different locks, sorted by key; null if it is
	 * closed
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
				if (this.gathering) {
					this.gathering = false;
					this.work.awaitNanos(this.gather / 2);
				}
				else {
					this.work.await();
				}
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
		if (lane == Lane.ACQUIRE && !queue.isEmpty() && queue.size() < track.expected
				&& System.nanoTime() - track.since < this.gather) {
			this.gathering = true;
			return null;
		}
		List<Operation<?>> batch = new ArrayList<>();
		List<Operation<?>> later = new ArrayList<>();
		while (batch.size() < lane.most() && !queue.isEmpty()) {
			Operation<?> operation = queue.remove();
			if (operation.isDone()) {
				continue;
			}
			if (this.busy.add(operation.id())) {
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
		track.expected = (batch.size() < FEW) ? 0 : batch.size() - batch.size() / 4;
		track.since = System.nanoTime();
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

		/** Since when the first of those that wait has waited. */
		long since;

		/** How many are worth a short wait. */
		int expected;

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
	 * @param operations of different locks, sorted by key
	 */
	record Batch(Lane lane, List<Operation<?>> operations) {
	}

}
