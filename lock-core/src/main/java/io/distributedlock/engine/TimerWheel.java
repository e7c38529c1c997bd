package io.distributedlock.engine;

import java.util.List;
import java.util.concurrent.locks.ReentrantLock;

import org.jspecify.annotations.Nullable;

/**
 * Keeps entries by the moment at which they are due, in slots of one tick each. Adding
 * and removing cost a few pointer writes, which is what every acquire and release pays
 * for the watchdog; nothing is left behind by an entry that was removed.
 * <p>
 * An entry that is due later than one turn of the wheel stays in its slot for several
 * turns. Each slot has its own lock, held for those writes only.
 */
final class TimerWheel {

	private static final int SLOTS = 1024;

	private static final long FAR = Long.MAX_VALUE / 2;

	private final long tick;

	private final Slot[] slots = new Slot[SLOTS];

	/** First tick that has not been drained. Only the draining thread writes it. */
	private volatile long nextTick;

	TimerWheel(long tick, long now) {
		this.tick = tick;
		this.nextTick = now / tick;
		for (int i = 0; i < SLOTS; i++) {
			this.slots[i] = new Slot();
		}
	}

	/**
	 * Puts an entry in. It must not be in: the thread that made it adds it first; after
	 * that whoever took it out, by draining or removing, may add it again. Any thread may
	 * remove it at any time.
	 * @param due when; a moment that has passed is due at the next drain
	 */
	void schedule(Entry entry, long due) {
		while (true) {
			// Rounded up, so that an entry is never looked at before it is due.
			long at = Math.max(Math.min(due, FAR) / this.tick + 1, this.nextTick);
			Slot slot = this.slots[(int) (at & (SLOTS - 1))];
			slot.mutex.lock();
			try {
				entry.dueTick = at;
				slot.add(entry);
			}
			finally {
				slot.mutex.unlock();
			}
			// If the slot was drained between the reading of nextTick and the adding, the
			// entry would wait for a whole turn. It is added again, unless the drain took
			// it
			// after all or somebody has removed it.
			if (at >= this.nextTick || !slot.removeIfHere(entry)) {
				return;
			}
		}
	}

	/**
	 * Takes an entry out.
	 * @return true if it was in, so that the caller may add it again
	 */
	boolean remove(Entry entry) {
		Slot slot = entry.slot;
		while (slot != null) {
			if (slot.removeIfHere(entry)) {
				return true;
			}
			slot = entry.slot;
		}
		return false;
	}

	/**
	 * Returns how long nothing can be due, at most the given time.
	 */
	long quietFor(long now, long most) {
		long first = this.nextTick;
		for (long at = first; at < first + SLOTS; at++) {
			long wait = at * this.tick - now;
			if (wait >= most) {
				return most;
			}
			if (this.slots[(int) (at & (SLOTS - 1))].head != null) {
				return Math.max(wait, this.tick);
			}
		}
		return most;
	}

	/**
	 * Takes out all entries that are due. Called by one thread only.
	 */
	void drain(long now, List<Entry> due) {
		long last = now / this.tick;
		long from = this.nextTick;
		// After a long pause each slot is visited once, not once for every missed tick.
		long first = Math.max(from, last - SLOTS + 1);
		this.nextTick = Math.max(from, last + 1);
		for (long at = first; at <= last; at++) {
			this.slots[(int) (at & (SLOTS - 1))].drain(last, due);
		}
	}

	/**
	 * What the wheel keeps. An entry is in at most one slot.
	 */
	abstract static class Entry {

		private volatile @Nullable Slot slot;

		private long dueTick;

		private @Nullable Entry previous;

		private @Nullable Entry next;

	}

	private static final class Slot {

		private final ReentrantLock mutex = new ReentrantLock();

		private volatile @Nullable Entry head;

		void add(Entry entry) {
			Entry first = this.head;
			entry.previous = null;
			entry.next = first;
			if (first != null) {
				first.previous = entry;
			}
			this.head = entry;
			entry.slot = this;
		}

		void remove(Entry entry) {
			Entry before = entry.previous;
			Entry after = entry.next;
			if (before != null) {
				before.next = after;
			}
			else {
				this.head = after;
			}
			if (after != null) {
				after.previous = before;
			}
			entry.previous = null;
			entry.next = null;
			entry.slot = null;
		}

		boolean removeIfHere(Entry entry) {
			this.mutex.lock();
			try {
				if (entry.slot != this) {
					return false;
				}
				remove(entry);
				return true;
			}
			finally {
				this.mutex.unlock();
			}
		}

		void drain(long lastTick, List<Entry> due) {
			this.mutex.lock();
			try {
				Entry entry = this.head;
				while (entry != null) {
					Entry after = entry.next;
					if (entry.dueTick <= lastTick) {
						remove(entry);
						due.add(entry);
					}
					entry = after;
				}
			}
			finally {
				this.mutex.unlock();
			}
		}

	}

}
