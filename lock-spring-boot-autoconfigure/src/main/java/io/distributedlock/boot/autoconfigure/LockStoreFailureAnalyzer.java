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
				action + " For development without a server, set distributed-lock.store=memory (with the dependency"
						+ " io.distributedlock:lock-test), or distributed-lock.enabled=false to run without locks.",
				cause);
	}

}
