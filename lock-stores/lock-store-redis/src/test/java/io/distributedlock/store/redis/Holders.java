package io.distributedlock.store.redis;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.locks.ReentrantLock;

import io.distributedlock.Lease;
import io.distributedlock.LockKey;

/**
 * Sees all leases of an experiment, whichever JVM or server they come from: counts those
 * that overlap with another unexpired one of their key, tokens that did not rise, and the
 * writes that a resource refuses which remembers the highest token it has seen.
 */
final class Holders {

	private final ReentrantLock mutex = new ReentrantLock();

	private final Map<LockKey, List<Lease>> held = new LinkedHashMap<>();

	private final Map<LockKey, Long> lastGranted = new LinkedHashMap<>();

	private final Map<LockKey, Long> lastWritten = new LinkedHashMap<>();

	private int grants;

	private int doubleGrants;

	private int fallenTokens;

	private int refusedWrites;

	/**
	 * A lease was granted.
	 * @return whether nobody else believes to hold the lock
	 */
	boolean granted(Lease lease) {
		this.mutex.lock();
		try {
			this.grants++;
			List<Lease> others = this.held.computeIfAbsent(lease.key(), (key) -> new CopyOnWriteArrayList<>());
			others.removeIf((other) -> !other.isHeld());
			boolean alone = others.isEmpty();
			if (!alone) {
				this.doubleGrants++;
			}
			others.add(lease);
			Long last = this.lastGranted.put(lease.key(), lease.fencingToken());
			if (last != null && last >= lease.fencingToken()) {
				this.fallenTokens++;
			}
			return alone;
		}
		finally {
			this.mutex.unlock();
		}
	}

	/**
	 * A holder gives its lease back.
	 */
	void release(Lease lease) {
		this.mutex.lock();
		try {
			this.held.getOrDefault(lease.key(), List.of()).remove(lease);
		}
		finally {
			this.mutex.unlock();
		}
		lease.release();
	}

	/**
	 * A holder writes to the resource that the lock protects.
	 * @return whether the resource let it
	 */
	boolean write(Lease lease) {
		this.mutex.lock();
		try {
			long last = this.lastWritten.getOrDefault(lease.key(), 0L);
			if (lease.fencingToken() < last) {
				this.refusedWrites++;
				return false;
			}
			this.lastWritten.put(lease.key(), lease.fencingToken());
			return true;
		}
		finally {
			this.mutex.unlock();
		}
	}

	int grants() {
		return this.grants;
	}

	int doubleGrants() {
		return this.doubleGrants;
	}

	int fallenTokens() {
		return this.fallenTokens;
	}

	int refusedWrites() {
		return this.refusedWrites;
	}

}
