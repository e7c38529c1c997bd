package io.distributedlock.spring.integration;

import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.function.Function;

import io.distributedlock.Lease;
import io.distributedlock.LockContext;
import io.distributedlock.LockKey;
import io.distributedlock.LockRequest;
import io.distributedlock.LockTemplate;

import org.springframework.integration.support.locks.DistributedLock;
import org.springframework.integration.support.locks.RenewableLockRegistry;

/**
 * Spring Integration's locks, kept in the stores of this library. Locks are renewed while
 * they are held, if the configuration of their name does not say otherwise; a ttl given
 * to a lock does not switch that off.
 * <p>
 * {@code unlock()} throws {@link io.distributedlock.LockLostException} if the lock was
 * lost while it was held, and {@link IllegalMonitorStateException} if the thread does not
 * hold it. An outage is {@link io.distributedlock.LockStoreException}, never false.
 * Conditions are not supported.
 * <p>
 * It keeps nothing per key, so that there is nothing to expire. Safe for use by many
 * threads.
 */
public final class DistributedLockRegistry implements RenewableLockRegistry<DistributedLock> {

	/** Name of all locks, unless given otherwise. */
	public static final String DEFAULT_NAME = "integration";

	private final LockTemplate locks;

	private final Function<Object, LockRequest> requests;

	/**
	 * Makes a registry.
	 * @param locks takes the locks
	 * @param name what all locks are called
	 * @throws IllegalArgumentException if the name is not usable
	 */
	public DistributedLockRegistry(LockTemplate locks, String name) {
		this(locks, named(name));
	}

	/**
	 * Makes a registry.
	 * @param locks takes the locks
	 * @param requests what to ask for, by Spring Integration's key; must give equal keys
	 * the same lock in all JVMs
	 */
	public DistributedLockRegistry(LockTemplate locks, Function<Object, LockRequest> requests) {
		this.locks = Objects.requireNonNull(locks, "locks");
		this.requests = Objects.requireNonNull(requests, "requests");
	}

	private static Function<Object, LockRequest> named(String name) {
		String checked = LockKey.of(name).name();
		return (key) -> LockRequest.of(checked, key);
	}

	/**
	 * Returns the lock of a key.
	 * @param lockKey with the default naming text, a number, boolean, character, UUID or
	 * enum constant
	 * @return the lock; two locks of one key are the same
	 * @throws IllegalArgumentException if the key is of another type, null or blank
	 */
	@Override
	public DistributedLock obtain(Object lockKey) {
		return new RegistryLock(this.locks, this.requests.apply(lockKey));
	}

	/**
	 * Makes sure that the calling thread still holds the lock. If the request of the key
	 * has a ttl, the lock is held for at least that time from now; otherwise it goes on
	 * as it was asked for.
	 * @throws IllegalStateException if the thread does not hold it
	 * @throws io.distributedlock.LockLostException if it was lost
	 */
	@Override
	public void renewLock(Object lockKey) {
		LockRequest request = this.requests.apply(lockKey);
		Duration ttl = request.settings().ttl();
		Lease lease = held(request);
		lease.assertHeld();
		if (ttl != null) {
			lease.extend(ttl);
		}
	}

	/**
	 * Makes sure that the calling thread holds the lock for at least the given time.
	 * @param customTtl the time from now
	 * @throws IllegalStateException if the thread does not hold it
	 * @throws io.distributedlock.LockLostException if it was lost
	 */
	@Override
	public void renewLock(Object lockKey, Duration customTtl) {
		held(this.requests.apply(lockKey)).extend(customTtl);
	}

	private static Lease held(LockRequest request) {
		List<Lease> leases = ((request.owner() != null) ? request.owner() : LockContext.owner()).leases();
		for (int i = leases.size() - 1; i >= 0; i--) {
			Lease lease = leases.get(i);
			if (lease.key().equals(request.key())
					&& (request.settings().store() == null || lease.store().equals(request.settings().store()))) {
				return lease;
			}
		}
		throw new IllegalStateException("Lock '" + request.key() + "' cannot be renewed: " + LockContext.owner()
				+ " does not hold it. Only the thread that locked it can renew it.");
	}

}
