package io.distributedlock.boot.autoconfigure;

import org.springframework.boot.diagnostics.AbstractFailureAnalyzer;
import org.springframework.boot.diagnostics.FailureAnalysis;

/**
 * Says which properties of locks there are not, and what was probably meant.
 */
final class UnknownLockPropertyFailureAnalyzer extends AbstractFailureAnalyzer<UnknownLockPropertyException> {

	@Override
	protected FailureAnalysis analyze(Throwable rootFailure, UnknownLockPropertyException cause) {
		return new FailureAnalysis(String.join(System.lineSeparator(), cause.problems()),
				"Correct the names, or take the properties out. They would be ignored, and locks would not be as you"
						+ " have configured them.",
				cause);
	}

}
