package io.distributedlock.boot.autoconfigure;

import io.distributedlock.spring.InvalidDistributedLockException;

import org.springframework.boot.diagnostics.AbstractFailureAnalyzer;
import org.springframework.boot.diagnostics.FailureAnalysis;

/**
 * Explains a {@code @DistributedLock} that cannot work.
 */
final class InvalidDistributedLockFailureAnalyzer extends AbstractFailureAnalyzer<InvalidDistributedLockException> {

	@Override
	protected FailureAnalysis analyze(Throwable rootFailure, InvalidDistributedLockException cause) {
		return new FailureAnalysis("@DistributedLock on " + cause.location() + " cannot work: " + cause.problem(),
				cause.action(), cause);
	}

}
