package io.distributedlock.boot.autoconfigure;

import io.distributedlock.spi.StoreException;
import org.jspecify.annotations.Nullable;

import org.springframework.boot.diagnostics.AbstractFailureAnalyzer;
import org.springframework.boot.diagnostics.FailureAnalysis;

/**
 * Says what to do when the store cannot be used at start-up.
 */
final class LockStoreFailureAnalyzer extends AbstractFailureAnalyzer<StoreException> {

	@Override
	protected FailureAnalysis analyze(Throwable rootFailure, StoreException cause) {
		@Nullable LockStoreStartException start = findCause(rootFailure, LockStoreStartException.class);
		String message = (start != null) ? start.getMessage() : cause.getMessage();
		return new FailureAnalysis("The store of the distributed locks cannot be used: " + message,
				((start != null) ? action(start.help(), cause) : action(cause))
						+ " For development without a server, add the dependency io.distributedlock:lock-test and set"
						+ " distributed-lock.store=memory. (distributed-lock.enabled=false only lets methods with"
						+ " @DistributedLock run without their locks. Code that uses LockTemplate needs a store all"
						+ " the same.)",
				cause);
	}

	private static String action(LockStoreHelp help, StoreException cause) {
		return (cause.isRetryable() ? help.outOfReach() : help.refused()) + " " + help.doWithout();
	}

	// A store that the application made itself.
	private static String action(StoreException cause) {
		return cause.isRetryable() ? "Start the server, or correct its address."
				: "Correct what the message above says.";
	}

}
