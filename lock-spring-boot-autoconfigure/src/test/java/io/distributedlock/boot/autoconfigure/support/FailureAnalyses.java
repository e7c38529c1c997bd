package io.distributedlock.boot.autoconfigure.support;

import java.util.Objects;

import org.springframework.boot.diagnostics.FailureAnalysis;
import org.springframework.boot.diagnostics.FailureAnalyzer;
import org.springframework.core.io.support.SpringFactoriesLoader;

/**
 * Analyzes failures as Spring Boot does, so that the registration of the analyzers is
 * tested as well.
 */
public final class FailureAnalyses {

	private FailureAnalyses() {
	}

	/**
	 * Analyzes a failure with the analyzers of this project.
	 * @param failure what an application failed with
	 * @return the first analysis
	 */
	public static FailureAnalysis of(Throwable failure) {
		return SpringFactoriesLoader.forDefaultResourceLocation()
			.load(FailureAnalyzer.class, SpringFactoriesLoader.ArgumentResolver.none(),
					SpringFactoriesLoader.FailureHandler.handleMessage((message, ex) -> {
					}))
			.stream()
			.filter((analyzer) -> analyzer.getClass().getName().startsWith("io.distributedlock"))
			.map((analyzer) -> analyzer.analyze(failure))
			.filter(Objects::nonNull)
			.findFirst()
			.orElseThrow(() -> new AssertionError("No analysis", failure));
	}

}
