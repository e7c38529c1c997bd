package io.distributedlock.boot.autoconfigure.observation;

import java.time.Clock;
import java.time.Duration;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

import io.distributedlock.DeadlockDetectedException;
import io.distributedlock.Lease;
import io.distributedlock.LeaseState;
import io.distributedlock.LockKey;
import io.distributedlock.LockListener;
import io.distributedlock.LockLostException;
import io.distributedlock.LockNotAcquiredException;
import io.distributedlock.LockOwner;
import io.distributedlock.LockStoreException;
import io.micrometer.observation.Observation;
import io.micrometer.observation.ObservationRegistry;
import org.jspecify.annotations.Nullable;

/**
 * Observes acquires and holds, see {@link LockObservationDocumentation}.
 * <p>
 * The observations are not put into scope: a lease may be released on another thread than
 * it was acquired on. So what runs under the lock is shown beside its span, not below.
 */
public final class LockObservations implements LockListener {

	private final ObservationRegistry registry;

	private final @Nullable LockAcquireObservationConvention acquireConvention;

	private final @Nullable LockHoldObservationConvention holdConvention;

	private final LockAcquireObservationConvention defaultAcquireConvention = new DefaultLockAcquireObservationConvention();

	private final LockHoldObservationConvention defaultHoldConvention = new DefaultLockHoldObservationConvention();

	private final Clock clock = Clock.systemUTC();

	private final Map<LeaseId, Observed> holds = new ConcurrentHashMap<>();

	/**
	 * Makes a listener that observes into a registry. If the registry also has handlers
	 * that make meters, the observations make meters too; the auto-configuration gives
	 * one that has none.
	 * @param registry where to observe
	 * @param acquireConvention takes the place of the default one, or null
	 * @param holdConvention takes the place of the default one, or null
	 */
	public LockObservations(ObservationRegistry registry, @Nullable LockAcquireObservationConvention acquireConvention,
			@Nullable LockHoldObservationConvention holdConvention) {
		this.registry = registry;
		this.acquireConvention = acquireConvention;
		this.holdConvention = holdConvention;
	}

	@Override
	public void onAcquired(Lease lease, Duration waited) {
		if (this.registry.isNoop()) {
			return;
		}
		Observed acquire = acquire(lease.key(), lease.store(), waited);
		acquire.context.setFencingToken(tokenOf(lease));
		acquire.stop("acquired");
		LockHoldObservationContext hold = new LockHoldObservationContext(lease.key(), lease.store(),
				this.clock.instant());
		hold.setFencingToken(tokenOf(lease));
		Observation observation = LockObservationDocumentation.HOLD.start(this.holdConvention,
				this.defaultHoldConvention, () -> hold, this.registry);
		if (!observation.isNoop()) {
			this.holds.put(LeaseId.of(lease), new Observed(observation, hold));
			if (lease.state() == LeaseState.LOST) {
				// The loss is reported by another thread, perhaps before this one came
				// here.
				lost(lease, null);
			}
		}
	}

	@Override
	public void onRefused(LockKey key, String store, LockNotAcquiredException exception, Duration waited) {
		if (!this.registry.isNoop()) {
			acquire(key, store, waited).stop(exception.reason().name().toLowerCase(Locale.ROOT));
		}
	}

	@Override
	public void onDeadlock(LockKey key, String store, DeadlockDetectedException exception, Duration waited) {
		if (!this.registry.isNoop()) {
			Observed acquire = acquire(key, store, waited);
			acquire.observation.error(exception);
			acquire.stop("deadlock");
		}
	}

	@Override
	public void onFailed(LockKey key, String store, LockStoreException exception, Duration waited) {
		if (!this.registry.isNoop()) {
			Observed acquire = acquire(key, store, waited);
			acquire.observation.error(exception);
			acquire.stop("error");
		}
	}

	@Override
	public void onReleased(Lease lease, Duration held) {
		if (this.registry.isNoop()) {
			return;
		}
		Observed hold = this.holds.remove(LeaseId.of(lease));
		if (hold != null) {
			hold.stop("released");
		}
	}

	@Override
	public void onLost(Lease lease, LockLostException exception, Duration held) {
		lost(lease, exception);
	}

	private void lost(Lease lease, @Nullable LockLostException exception) {
		Observed hold = this.holds.remove(LeaseId.of(lease));
		if (hold != null) {
			if (exception != null) {
				hold.observation.error(exception);
			}
			hold.stop("lost");
		}
	}

	private Observed acquire(LockKey key, String store, Duration waited) {
		LockAcquireObservationContext context = new LockAcquireObservationContext(key, store,
				this.clock.instant().minus(waited));
		return new Observed(LockObservationDocumentation.ACQUIRE.start(this.acquireConvention,
				this.defaultAcquireConvention, () -> context, this.registry), context);
	}

	private record Observed(Observation observation, LockObservationContext context) {

		void stop(String outcome) {
			this.context.setOutcome(outcome);
			this.observation.stop();
		}

	}

	private static long tokenOf(Lease lease) {
		return lease.isDegraded() ? 0 : lease.fencingToken();
	}

	// Readers share their token, and leases of this instance only have none.
	private record LeaseId(LockKey key, String store, long token, LockOwner owner) {

		static LeaseId of(Lease lease) {
			return new LeaseId(lease.key(), lease.store(), tokenOf(lease), lease.owner());
		}

	}

}
