package io.distributedlock.boot.autoconfigure;

import org.springframework.boot.diagnostics.AbstractFailureAnalyzer;
import org.springframework.boot.diagnostics.FailureAnalysis;

/**
 * Shows the stores when it is not clear which one is meant.
 */
final class LockStoreChoiceFailureAnalyzer extends AbstractFailureAnalyzer<LockStoreChoiceException> {

	@Override
	protected FailureAnalysis analyze(Throwable rootFailure, LockStoreChoiceException cause) {
		String description = (cause.chosen() != null)
				? "distributed-lock.store is '" + cause.chosen() + "', but there is no such lock store. There are: "
						+ String.join(", ", cause.stores()) + "."
				: "There are several lock stores (" + String.join(", ", cause.stores())
						+ "), and it is not said which one keeps the locks that name none.";
		return new FailureAnalysis(description, "Set distributed-lock.store to one of: "
				+ String.join(", ", cause.stores())
				+ ". Single locks can use another one: distributed-lock.locks.<name>.store, or store = \"...\" in the"
				+ " annotation." + KnownStore.needs(cause.chosen()).map((needs) -> " " + needs).orElse(""), cause);
	}

}
