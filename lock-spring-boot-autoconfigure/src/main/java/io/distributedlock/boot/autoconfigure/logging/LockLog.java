package io.distributedlock.boot.autoconfigure.logging;

import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

import io.distributedlock.Lease;
import io.distributedlock.LockKey;
import io.distributedlock.LockListener;
import io.distributedlock.LockLostException;
import io.distributedlock.LockNotAcquiredException;
import io.distributedlock.LockStoreException;
import io.distributedlock.spi.Ticker;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.spi.LoggingEventBuilder;

/**
 * Logs what somebody should look at, with key-value pairs for structured logs: lost
 * leases, long holds and failing renewals as warnings; every acquire and release at debug
 * level. Releases that the store did not confirm are logged by the engine itself.
 * <p>
 * An outage takes thousands of leases at once, so each kind of warning is limited: a few
 * are logged in full, the rest of the same half minute only counted.
 */
public final class LockLog implements LockListener {

	private static final Logger logger = LoggerFactory.getLogger(LockLog.class);

	private static final int BURST = 20;

	private static final Duration PERIOD = Duration.ofSeconds(30);

	private final Ticker ticker;

	private final LogLimit lost;

	private final LogLimit longHolds;

	private final LogLimit degraded;

	private final Map<String, RenewalLog> renewals = new ConcurrentHashMap<>();

	/**
	 * Makes the listener.
	 * @param ticker the clock that limits are measured with
	 */
	public LockLog(Ticker ticker) {
		this.ticker = ticker;
		this.lost = new LogLimit(BURST, PERIOD, ticker);
		this.longHolds = new LogLimit(BURST, PERIOD, ticker);
		this.degraded = new LogLimit(BURST, PERIOD, ticker);
	}

	@Override
	public void onAcquired(Lease lease, Duration waited) {
		if (lease.isDegraded()) {
			warnOfDegraded(lease);
		}
		if (logger.isDebugEnabled()) {
			of(logger.atDebug(), lease).addKeyValue("lock.waited", waited)
				.log("Lock '{}' acquired after {}ms, token {}, by {}", lease.key(), waited.toMillis(), token(lease),
						lease.owner());
		}
	}

	private void warnOfDegraded(Lease lease) {
		long skipped = this.degraded.tryPass();
		if (skipped >= 0) {
			of(logger.atWarn(), lease).addKeyValue("lock.degraded", true)
				.log("Lock '{}' is held by {} within this instance ONLY: the store '{}' is out, and"
						+ " distributed-lock.locks.{}.on-outage is local. Other instances may hold it too.{}",
						lease.key(), lease.owner(), lease.store(), lease.key().name(), more(skipped));
		}
	}

	private static long token(Lease lease) {
		return lease.isDegraded() ? 0 : lease.fencingToken();
	}

	@Override
	public void onReleased(Lease lease, Duration held) {
		if (logger.isDebugEnabled()) {
			of(logger.atDebug(), lease).addKeyValue("lock.held", held)
				.log("Lock '{}' released after {}ms, token {}", lease.key(), held.toMillis(), token(lease));
		}
	}

	@Override
	public void onRefused(LockKey key, String store, LockNotAcquiredException exception, Duration waited) {
		if (logger.isDebugEnabled()) {
			of(logger.atDebug(), key, store).addKeyValue("lock.waited", waited)
				.addKeyValue("lock.reason", exception.reason())
				.log("{}", exception.getMessage());
		}
	}

	@Override
	public void onFailed(LockKey key, String store, LockStoreException exception, Duration waited) {
		if (logger.isDebugEnabled()) {
			of(logger.atDebug(), key, store).addKeyValue("lock.waited", waited)
				.setCause(exception)
				.log("{}", exception.getMessage());
		}
	}

	@Override
	public void onLost(Lease lease, LockLostException exception, Duration held) {
		long skipped = this.lost.tryPass();
		if (skipped >= 0) {
			of(logger.atWarn(), lease).addKeyValue("lock.reason", exception.reason())
				.addKeyValue("lock.held", held)
				.log("{} It was held for {}ms by {}.{}", exception.getMessage(), held.toMillis(), lease.owner(),
						more(skipped));
		}
	}

	@Override
	public void onLongHold(Lease lease, Duration held) {
		long skipped = this.longHolds.tryPass();
		if (skipped >= 0) {
			of(logger.atWarn(), lease).addKeyValue("lock.held", held)
				.log("Lock '{}' (token {}) has been held by {} for {}s, half of its max-hold. If its work hangs, a thread"
						+ " dump shows where; if it is that long, raise distributed-lock.locks.{}.max-hold.{}",
						lease.key(), token(lease), lease.owner(), held.toSeconds(), lease.key().name(), more(skipped));
		}
	}

	@Override
	public void onRenewals(String store, int renewed, int refused, int failed) {
		RenewalLog log = this.renewals.get(store);
		if (log == null) {
			log = this.renewals.computeIfAbsent(store, (name) -> new RenewalLog(name, PERIOD, this.ticker));
		}
		log.onRenewals(renewed, failed);
	}

	private static String more(long skipped) {
		return (skipped > 0) ? " (" + skipped + " more of this kind were not logged)" : "";
	}

	private static LoggingEventBuilder of(LoggingEventBuilder event, Lease lease) {
		return of(event, lease.key(), lease.store()).addKeyValue("lock.token", token(lease));
	}

	private static LoggingEventBuilder of(LoggingEventBuilder event, LockKey key, String store) {
		return event.addKeyValue("lock.name", key.name())
			.addKeyValue("lock.key", key.id())
			.addKeyValue("lock.store", store);
	}

}
