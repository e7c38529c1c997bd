package io.distributedlock.boot.autoconfigure;

import io.distributedlock.spi.StoreException;

import org.springframework.boot.diagnostics.AbstractFailureAnalyzer;
import org.springframework.boot.diagnostics.FailureAnalysis;

/**
 * Says what to do when the store cannot be used at start-up.
 */
final class LockStoreFailureAnalyzer extends AbstractFailureAnalyzer<StoreException> {

	@Override
	protected FailureAnalysis analyze(Throwable rootFailure, StoreException cause) {
		String action = cause.isRetryable()
				? "Start the server, or correct its address (for Redis: spring.data.redis.host and .port, or .url)."
				: "Correct what the message above says.";
		return new FailureAnalysis("The store of the distributed locks cannot be used: " + cause.getMessage(),
				action + " For development without a server, add the dependency io.distributedlock:lock-test and set"
						+ " distributed-lock.store=memory. (distributed-lock.enabled=false only lets methods with"
						+ " @DistributedLock run without their locks. Code that uses LockTemplate needs a store all"
						+ " the same.)",
				cause);
	}

}
