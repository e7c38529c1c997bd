package io.distributedlock.boot.autoconfigure;

import org.springframework.boot.diagnostics.AbstractFailureAnalyzer;
import org.springframework.boot.diagnostics.FailureAnalysis;

/**
 * Says what to type when a store cannot be made from what is configured.
 */
final class LockStoreSetupFailureAnalyzer extends AbstractFailureAnalyzer<LockStoreSetupException> {

	@Override
	protected FailureAnalysis analyze(Throwable rootFailure, LockStoreSetupException cause) {
		return new FailureAnalysis(cause.description(), cause.action(), cause);
	}

}
