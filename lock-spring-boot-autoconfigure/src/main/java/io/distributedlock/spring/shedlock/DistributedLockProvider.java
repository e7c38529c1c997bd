package io.distributedlock.spring.shedlock;

import java.time.Duration;
import java.util.Objects;
import java.util.Optional;

import io.distributedlock.Lease;
import io.distributedlock.LockKey;
import io.distributedlock.LockLostException;
import io.distributedlock.LockOwner;
import io.distributedlock.LockRequest;
import io.distributedlock.LockSettings;
import io.distributedlock.LockTemplate;
import net.javacrumbs.shedlock.core.ExtensibleLockProvider;
import net.javacrumbs.shedlock.core.LockConfiguration;
import net.javacrumbs.shedlock.core.SimpleLock;

/**
 * ShedLock's locks, kept in the stores of this library. All of ShedLock's contract holds:
 * a lock is not waited for, lasts for {@code lockAtLeastFor} also if the work ends sooner
 * or its instance dies, and ends with {@code lockAtMostFor} whatever the work does, since
 * it is not renewed. Every lock is an owner of its own: the thread that holds one does
 * not get it a second time.
 * <p>
 * A {@code lockAtMostFor} below {@link LockSettings#MIN_TTL} is raised to it. An outage
 * is thrown as {@link io.distributedlock.LockStoreException} and never answered with an
 * empty result, which would mean that another instance does the work.
 * <p>
 * Safe for use by many threads.
 */
public final class DistributedLockProvider implements ExtensibleLockProvider {

	/** Name of all locks, unless given otherwise. */
	public static final String DEFAULT_NAME = "shedlock";

	private final LockTemplate locks;

	private final String name;

	/**
	 * Makes a provider whose locks have the name {@value #DEFAULT_NAME}.
	 * @param locks takes the locks
	 */
	public DistributedLockProvider(LockTemplate locks) {
		this(locks, DEFAULT_NAME);
	}

	/**
	 * Makes a provider.
	 * @param locks takes the locks
	 * @param name what all locks are called; ShedLock's name is their key
	 * @throws IllegalArgumentException if the name is not usable
	 */
	public DistributedLockProvider(LockTemplate locks, String name) {
		this.locks = Objects.requireNonNull(locks, "locks");
		this.name = LockKey.of(name).name();
	}

	@Override
	public Optional<SimpleLock> lock(LockConfiguration configuration) {
		return this.locks.tryAcquire(request(configuration, LockOwner.create("shedlock")))
			.map((lease) -> new LeaseLock(this, configuration, lease));
	}

	/**
	 * Gives a lock new limits, counted from now. The limits it has are never shortened.
	 * @return empty if the lock is lost
	 */
	Optional<SimpleLock> extend(LockConfiguration configuration, Lease lease) {
		if (!lease.isHeld()) {
			return Optional.empty();
		}
		// A nested lease takes the later end of a min-hold, but never a lock anew.
		Lease nested = this.locks.tryAcquire(request(configuration, lease.owner())).orElse(null);
		if (nested == null) {
			return Optional.empty();
		}
		try {
			if (nested.fencingToken() == lease.fencingToken()) {
				nested.extend(atLeastMinimum(configuration.getLockAtMostFor()));
				lease.release();
				return Optional.of(new LeaseLock(this, configuration, nested));
			}
		}
		catch (LockLostException ex) {
			// As if it had been lost before.
		}
		catch (RuntimeException ex) {
			nested.release();
			throw ex;
		}
		nested.release();
		return Optional.empty();
	}

	private LockRequest request(LockConfiguration configuration, LockOwner owner) {
		// The max-hold plays no part where nothing is renewed, but may not be below the
		// min-hold.
		return LockRequest.of(this.name, configuration.getName())
			.withOwner(owner)
			.withWaitTime(Duration.ZERO)
			.withRenew(false)
			.withKeep(false)
			.withPermits(1)
			.withTtl(atLeastMinimum(configuration.getLockAtMostFor()))
			.withMaxHold(LockSettings.MAX_DURATION)
			.withMinHold(configuration.getLockAtLeastFor());
	}

	private static Duration atLeastMinimum(Duration lockAtMostFor) {
		return (lockAtMostFor.compareTo(LockSettings.MIN_TTL) < 0) ? LockSettings.MIN_TTL : lockAtMostFor;
	}

}
