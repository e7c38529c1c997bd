package io.distributedlock.store.etcd;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.locks.ReentrantLock;

/**
 * What ends when its time has come and is mostly moved or taken away before: grants,
 * places in queues, reservations. Moving an end is only a write to its field; the wheel
 * notices when it comes by.
 */
final class Wheel {

	/** How late an end may be noticed. */
	static final long TICK = 20_000_000;

	private static final int SLOTS = 512;

	private final List<Set<Entry>> slots = new ArrayList<>(SLOTS);

	private final ReentrantLock mutex = new ReentrantLock();

	private long turned;

	Wheel(long now) {
		this.turned = Math.floorDiv(now, TICK);
		for (int i = 0; i < SLOTS; i++) {
			this.slots.add(new HashSet<>(0));
		}
	}

	/**
	 * Watches an entry, or looks at its end anew.
	 */
	void watch(Entry entry) {
		this.mutex.lock();
		try {
			remove(entry);
			insert(entry);
		}
		finally {
			this.mutex.unlock();
		}
	}

	void forget(Entry entry) {
		this.mutex.lock();
		try {
			remove(entry);
		}
		finally {
			this.mutex.unlock();
		}
	}

	private void insert(Entry entry) {
		// Rounded up: never too early.
		long tick = Math.max(this.turned + 1,
				Math.min(Math.floorDiv(entry.endsAt(), TICK) + 1, this.turned + SLOTS - 1));
		entry.slot = (int) Math.floorMod(tick, (long) SLOTS);
		this.slots.get(entry.slot).add(entry);
	}

	private void remove(Entry entry) {
		if (entry.slot >= 0) {
			this.slots.get(entry.slot).remove(entry);
			entry.slot = -1;
		}
	}

	/**
	 * Takes out what has ended.
	 */
	List<Entry> turn(long now) {
		List<Entry> ended = new ArrayList<>();
		this.mutex.lock();
		try {
			long tick = Math.floorDiv(now, TICK);
			for (long next = Math.max(this.turned + 1, tick - SLOTS + 1); next <= tick; next++) {
				Set<Entry> slot = this.slots.get((int) Math.floorMod(next, (long) SLOTS));
				if (slot.isEmpty()) {
					continue;
				}
				List<Entry> due = new ArrayList<>(slot);
				slot.clear();
				this.turned = next;
				for (Entry entry : due) {
					entry.slot = -1;
					if (entry.endsAt() - now <= 0) {
						ended.add(entry);
					}
					else {
						insert(entry);
					}
				}
			}
			this.turned = Math.max(this.turned, tick);
		}
		finally {
			this.mutex.unlock();
		}
		return ended;
	}

	/**
	 * Something with an end.
	 */
	abstract static class Entry {

		/** Guarded by the wheel. */
		private int slot = -1;

		/**
		 * Returns the moment of {@link System#nanoTime()} when it ends.
		 */
		abstract long endsAt();

		/**
		 * Called once after the end, on the timer thread.
		 */
		abstract void ended();

	}

}
