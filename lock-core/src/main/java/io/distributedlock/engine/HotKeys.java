package io.distributedlock.engine;

import java.time.Duration;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.PriorityQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;

import io.distributedlock.LockInspector.HotLock;
import io.distributedlock.LockKey;

/**
 * The keys that callers have waited for most lately. Only callers that had to wait come
 * here, so that a lock that is free costs nothing.
 * <p>
 * Memory is bounded by the Space-Saving algorithm (Metwally, Agrawal, El Abbadi:
 * <em>Efficient Computation of Frequent and Top-k Elements in Data Streams</em>, ICDT
 * 2005), with times instead of counts: when all counters are in use, a new key takes over
 * the smallest one with its weight, which from then on is that key's possible error. A
 * key that has more than one in {@value #COUNTERS} of all waiting is always among the
 * counters. Weights halve every minute, so that what was hot an hour ago is gone. Safe
 * for use by many threads.
 */
final class HotKeys {

	static final int COUNTERS = 128;

	private static final double HALF_LIFE = TimeUnit.MINUTES.toNanos(1);

	private static final long DECAY_PAUSE = TimeUnit.SECONDS.toNanos(5);

	/** Weights below this are forgotten. */
	private static final double NOTHING = TimeUnit.MICROSECONDS.toNanos(1);

	private final Clock clock;

	private final ReentrantLock mutex = new ReentrantLock();

	// Guarded by mutex.

	private final Map<Id, Counter> counters = new HashMap<>();

	/** By the weights that they had when they were put here, which only grow. */
	private final PriorityQueue<Counter> smallest = new PriorityQueue<>(COUNTERS,
			Comparator.comparingDouble((counter) -> counter.queued));

	private double total;

	private long decayedAt;

	HotKeys(Clock clock) {
		this.clock = clock;
		this.decayedAt = clock.now();
	}

	/**
	 * A caller has waited for somebody else, with whatever outcome.
	 */
	void waited(LockKey key, String store, long nanos) {
		this.mutex.lock();
		try {
			long now = this.clock.now();
			decay(now);
			this.total += nanos;
			Id id = new Id(key, store);
			Counter counter = this.counters.get(id);
			if (counter == null) {
				counter = new Counter(id, (this.counters.size() < COUNTERS) ? 0 : evict());
				this.counters.put(id, counter);
				this.smallest.add(counter);
			}
			counter.add(nanos, now);
		}
		finally {
			this.mutex.unlock();
		}
	}

	/**
	 * Returns the weight of the smallest counter, which is free now. Those that have
	 * grown since they were queued are queued again first, each at most once for each
	 * wait that made it grow.
	 */
	private double evict() {
		Counter first = this.smallest.remove();
		while (first.queued < first.weight) {
			first.queued = first.weight;
			this.smallest.add(first);
			first = this.smallest.remove();
		}
		this.counters.remove(first.id);
		return first.weight;
	}

	private void decay(long now) {
		if (now - this.decayedAt < DECAY_PAUSE) {
			return;
		}
		double factor = Math.pow(0.5, (now - this.decayedAt) / HALF_LIFE);
		this.decayedAt = now;
		this.total *= factor;
		// The order of those in the queue stays as it is.
		this.counters.values().forEach((counter) -> counter.decay(factor));
		if (this.counters.values().removeIf((counter) -> counter.weight < NOTHING)) {
			this.smallest.removeIf((counter) -> counter.weight < NOTHING);
		}
	}

	/** Returns the keys, heaviest first. */
	List<HotLock> snapshot() {
		this.mutex.lock();
		try {
			decay(this.clock.now());
			return this.counters.entrySet()
				.stream()
				.map((entry) -> entry.getValue().show(entry.getKey(), this.total))
				.sorted(Comparator.comparingDouble(HotLock::share).reversed())
				.toList();
		}
		finally {
			this.mutex.unlock();
		}
	}

	private record Id(LockKey key, String store) {
	}

	private static final class Counter {

		private final Id id;

		private double weight;

		/** The weight that counts in the queue. */
		private double queued;

		/**
		 * What the key may have less than its weight, since others had the counter
		 * before.
		 */
		private double error;

		private double waits;

		private long longest;

		private long longestAt;

		Counter(Id id, double inherited) {
			this.id = id;
			this.queued = inherited;
			this.weight = inherited;
			this.error = inherited;
		}

		void add(long nanos, long now) {
			this.weight += nanos;
			this.waits++;
			if (nanos >= this.longest || now - this.longestAt > HALF_LIFE) {
				this.longest = nanos;
				this.longestAt = now;
			}
		}

		void decay(double factor) {
			this.weight *= factor;
			this.queued *= factor;
			this.error *= factor;
			this.waits *= factor;
		}

		HotLock show(Id id, double total) {
			double share = (total > 0) ? (this.weight - this.error) / total : 0;
			return new HotLock(id.key, id.store, share, Math.round(this.waits), Duration.ofNanos(this.longest));
		}

	}

}
