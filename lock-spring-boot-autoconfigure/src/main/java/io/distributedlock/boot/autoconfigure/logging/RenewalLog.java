package io.distributedlock.boot.autoconfigure.logging;

import java.time.Duration;
import java.util.concurrent.locks.ReentrantLock;

import io.distributedlock.spi.Ticker;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Logs when the renewals of one store begin to fail, at intervals while they fail, and
 * when they work again.
 */
final class RenewalLog {

	private static final Logger logger = LoggerFactory.getLogger(LockLog.class);

	private final String store;

	private final long interval;

	private final Ticker ticker;

	private final ReentrantLock mutex = new ReentrantLock();

	// Written under mutex; read without it on the usual path.
	private volatile boolean failing;

	private long since;

	private long logged;

	RenewalLog(String store, Duration interval, Ticker ticker) {
		this.store = store;
		this.interval = interval.toNanos();
		this.ticker = ticker;
	}

	void onRenewals(int renewed, int failed) {
		if (failed == 0 && !this.failing) {
			return;
		}
		this.mutex.lock();
		try {
			long now = this.ticker.nanoTime();
			if (failed > 0) {
				failed(renewed, failed, now);
			}
			else if (renewed > 0 && this.failing) {
				this.failing = false;
				logger.atInfo()
					.addKeyValue("lock.store", this.store)
					.log("Store '{}' answers renewals again, after {}ms", this.store,
							Duration.ofNanos(now - this.since).toMillis());
			}
		}
		finally {
			this.mutex.unlock();
		}
	}

	private void failed(int renewed, int failed, long now) {
		if (this.failing && now - this.logged < this.interval) {
			return;
		}
		String failingFor = "";
		if (this.failing) {
			failingFor = ", failing for " + Duration.ofNanos(now - this.since).toMillis() + "ms";
		}
		else {
			this.failing = true;
			this.since = now;
		}
		this.logged = now;
		logger.atWarn()
			.addKeyValue("lock.store", this.store)
			.log("Store '{}' did not answer {} of {} renewals{}. They are repeated; locks that are not"
					+ " renewed before their deadline are lost. Check that the store can be reached.", this.store,
					failed, renewed + failed, failingFor);
	}

}
