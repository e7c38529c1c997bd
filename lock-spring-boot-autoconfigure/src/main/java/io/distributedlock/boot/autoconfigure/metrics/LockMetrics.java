package io.distributedlock.boot.autoconfigure.metrics;

import java.time.Duration;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.ReentrantLock;

import io.distributedlock.DeadlockDetectedException;
import io.distributedlock.Lease;
import io.distributedlock.LockKey;
import io.distributedlock.LockListener;
import io.distributedlock.LockLostException;
import io.distributedlock.LockNotAcquiredException;
import io.distributedlock.LockStoreException;
import io.micrometer.core.instrument.MeterRegistry;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Counts and times what happens to locks. Meters are tagged by lock name and store, never
 * by key. After a fixed number of names, further ones share the name {@value #OTHER}, so
 * that names made at run time cannot flood the registry.
 * <p>
 * The meters of a name are registered when the name is first used and kept in a map: a
 * callback costs two look-ups and no allocation.
 */
public final class LockMetrics implements LockListener {

	/** Lock name that all names beyond the limit share. */
	public static final String OTHER = "other";

	private static final Logger logger = LoggerFactory.getLogger(LockMetrics.class);

	private final MeterRegistry registry;

	private final int maxNames;

	private final Map<String, StoreMeters> stores = new ConcurrentHashMap<>();

	private final ReentrantLock mutex = new ReentrantLock();

	// Guarded by mutex.
	private final Set<String> names = new HashSet<>();

	private volatile boolean full;

	/**
	 * Makes a listener that records into a registry.
	 * @param registry where the meters are registered
	 * @param maxNames how many lock names get meters of their own, one or more
	 */
	public LockMetrics(MeterRegistry registry, int maxNames) {
		this.registry = registry;
		this.maxNames = maxNames;
	}

	@Override
	public void onWaiting(LockKey key, String store) {
		meters(key, store).waiting.increment();
	}

	@Override
	public void onWaitingEnded(LockKey key, String store) {
		meters(key, store).waiting.decrement();
	}

	@Override
	public void onAcquired(Lease lease, Duration waited) {
		NameMeters meters = meters(lease.key(), lease.store());
		meters.held.increment();
		if (lease.isDegraded()) {
			meters.degraded.increment();
		}
		meters.acquire(AcquireOutcome.ACQUIRED).record(waited);
	}

	@Override
	public void onRefused(LockKey key, String store, LockNotAcquiredException exception, Duration waited) {
		meters(key, store).acquire(AcquireOutcome.of(exception.reason())).record(waited);
	}

	@Override
	public void onDeadlock(LockKey key, String store, DeadlockDetectedException exception, Duration waited) {
		NameMeters meters = meters(key, store);
		meters.deadlocks.increment();
		meters.acquire(AcquireOutcome.DEADLOCK).record(waited);
	}

	@Override
	public void onFailed(LockKey key, String store, LockStoreException exception, Duration waited) {
		meters(key, store).acquire(AcquireOutcome.ERROR).record(waited);
	}

	@Override
	public void onReleased(Lease lease, Duration held) {
		NameMeters meters = meters(lease.key(), lease.store());
		meters.held.decrement();
		meters.holdReleased.record(held);
	}

	@Override
	public void onReleaseUnconfirmed(Lease lease, Throwable cause) {
		meters(lease.key(), lease.store()).releaseUnconfirmed.increment();
	}

	@Override
	public void onLost(Lease lease, LockLostException exception, Duration held) {
		NameMeters meters = meters(lease.key(), lease.store());
		meters.held.decrement();
		meters.holdLost.record(held);
		meters.lost(exception.reason()).increment();
	}

	@Override
	public void onLocalHandoff(LockKey key, String store) {
		meters(key, store).localHandoffs.increment();
	}

	@Override
	public void onRemoteHandoff(LockKey key, String store) {
		meters(key, store).remoteHandoffs.increment();
	}

	@Override
	public void onRenewals(String store, int renewed, int refused, int failed) {
		StoreMeters meters = meters(store);
		meters.renewed.increment(renewed);
		meters.refused.increment(refused);
		meters.failed.increment(failed);
	}

	private StoreMeters meters(String store) {
		StoreMeters meters = this.stores.get(store);
		return (meters != null) ? meters
				: this.stores.computeIfAbsent(store, (name) -> new StoreMeters(this.registry, name));
	}

	private NameMeters meters(LockKey key, String store) {
		StoreMeters meters = meters(store);
		NameMeters known = meters.find(key.name());
		if (known != null) {
			return known;
		}
		return meters.of(admit(key.name()) ? key.name() : OTHER);
	}

	private boolean admit(String name) {
		if (this.full && !isAdmitted(name)) {
			return false;
		}
		this.mutex.lock();
		try {
			if (this.names.contains(name)) {
				return true;
			}
			if (this.names.size() >= this.maxNames) {
				if (!this.full) {
					this.full = true;
					logger.warn("There are more than {} lock names; '{}' and further new ones are counted as '{}'."
							+ " Put what varies into the key of the lock, or raise distributed-lock.metrics.max-names.",
							this.maxNames, name, OTHER);
				}
				return false;
			}
			this.names.add(name);
			return true;
		}
		finally {
			this.mutex.unlock();
		}
	}

	// Once full, names no longer change, so this read needs no lock: writing "full" under
	// the lock came after the last change.
	private boolean isAdmitted(String name) {
		return this.names.contains(name);
	}

}
