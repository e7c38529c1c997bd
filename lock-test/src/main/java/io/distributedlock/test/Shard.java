package io.distributedlock.test;

import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Function;

import io.distributedlock.spi.Ticker;
import io.distributedlock.test.LockRecord.Rules;
import org.jspecify.annotations.Nullable;

/**
 * A part of the server's keys under one mutex. It keeps a record only while there is
 * something to remember: what is empty after a script goes at once, what expired goes
 * when a later command comes by.
 */
final class Shard {

	// Bounds how long one command may be held up by cleaning.
	private static final int SWEEP_LIMIT = 64;

	private final ReentrantLock mutex = new ReentrantLock();

	private final Map<String, Entry> entries = new HashMap<>();

	// Each entry once, by the time when it has to be looked at. The time may be too early
	// (a renewal does not move it), never too late.
	private final TreeSet<Entry> timers = new TreeSet<>(
			Comparator.<Entry>naturalOrder().thenComparing((entry) -> entry.record.keyId));

	private final Ticker ticker;

	private final Rules rules;

	Shard(Ticker ticker, Rules rules) {
		this.ticker = ticker;
		this.rules = rules;
	}

	/**
	 * Runs a script on the record of a key, alone, and sends its signals.
	 */
	<T extends @Nullable Object> T run(String keyId, Function<LockRecord, T> script) {
		T reply;
		List<Runnable> signals;
		this.mutex.lock();
		try {
			long now = this.ticker.nanoTime();
			sweep(now, SWEEP_LIMIT);
			Entry entry = this.entries.get(keyId);
			LockRecord record = (entry != null) ? entry.record : new LockRecord(keyId, this.rules);
			record.begin(now);
			reply = script.apply(record);
			signals = record.takeSignals();
			store(entry, record);
		}
		finally {
			this.mutex.unlock();
		}
		signals.forEach(Runnable::run);
		return reply;
	}

	private void store(@Nullable Entry entry, LockRecord record) {
		if (record.isEmpty()) {
			if (entry != null) {
				this.entries.remove(record.keyId);
				this.timers.remove(entry);
			}
			return;
		}
		long dueAt = record.dueAt();
		if (entry == null) {
			entry = new Entry(record, dueAt);
			this.entries.put(record.keyId, entry);
			this.timers.add(entry);
		}
		else if (dueAt - entry.dueAt < 0) {
			reschedule(entry, dueAt);
		}
	}

	private void reschedule(Entry entry, long dueAt) {
		this.timers.remove(entry);
		entry.dueAt = dueAt;
		this.timers.add(entry);
	}

	/**
	 * Removes what has expired, unless another thread is at work here.
	 */
	void trySweep() {
		if (this.mutex.tryLock()) {
			try {
				sweep(this.ticker.nanoTime(), SWEEP_LIMIT);
			}
			finally {
				this.mutex.unlock();
			}
		}
	}

	/**
	 * Counts the keys in memory, also the expired ones.
	 */
	int remembered() {
		this.mutex.lock();
		try {
			return this.entries.size();
		}
		finally {
			this.mutex.unlock();
		}
	}

	/**
	 * Removes all that has expired.
	 * @return how many keys are left
	 */
	int size() {
		this.mutex.lock();
		try {
			sweep(this.ticker.nanoTime(), Integer.MAX_VALUE);
			return this.entries.size();
		}
		finally {
			this.mutex.unlock();
		}
	}

	private void sweep(long now, int limit) {
		for (int i = 0; i < limit && !this.timers.isEmpty(); i++) {
			Entry entry = this.timers.first();
			if (now - entry.dueAt < 0) {
				return;
			}
			LockRecord record = entry.record;
			record.begin(now);
			record.prune();
			if (record.isEmpty()) {
				this.timers.remove(entry);
				this.entries.remove(record.keyId);
			}
			else {
				reschedule(entry, record.dueAt());
			}
		}
	}

	/**
	 * A record and when to look at it.
	 */
	private static final class Entry implements Comparable<Entry> {

		final LockRecord record;

		long dueAt;

		Entry(LockRecord record, long dueAt) {
			this.record = record;
			this.dueAt = dueAt;
		}

		@Override
		public int compareTo(Entry other) {
			return Long.signum(this.dueAt - other.dueAt);
		}

	}

}
