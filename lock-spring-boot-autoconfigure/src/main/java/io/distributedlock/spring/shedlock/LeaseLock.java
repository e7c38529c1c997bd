package io.distributedlock.spring.shedlock;

import java.util.Optional;

import io.distributedlock.Lease;
import net.javacrumbs.shedlock.core.AbstractSimpleLock;
import net.javacrumbs.shedlock.core.LockConfiguration;
import net.javacrumbs.shedlock.core.SimpleLock;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A lease as ShedLock sees it.
 */
final class LeaseLock extends AbstractSimpleLock {

	private static final Logger logger = LoggerFactory.getLogger(LeaseLock.class);

	private final DistributedLockProvider provider;

	private final Lease lease;

	LeaseLock(DistributedLockProvider provider, LockConfiguration configuration, Lease lease) {
		super(configuration);
		this.provider = provider;
		this.lease = lease;
	}

	@Override
	protected void doUnlock() {
		// ShedLock unlocks in a finally block, where an exception would hide the work's.
		if (!this.lease.release()) {
			logger.atWarn()
				.addKeyValue("lock.key", this.lease.key())
				.log("Lock '{}' was over before the work was: it took longer than lockAtMostFor ({}ms), or the lock was"
						+ " lost in the store. Another instance may have run the same. Raise lockAtMostFor.",
						this.lease.key(), this.lockConfiguration.getLockAtMostFor().toMillis());
		}
	}

	@Override
	protected Optional<SimpleLock> doExtend(LockConfiguration extended) {
		return this.provider.extend(extended, this.lease);
	}

}
