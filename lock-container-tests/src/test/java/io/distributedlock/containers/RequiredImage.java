package io.distributedlock.containers;

import java.io.IOException;
import java.net.URI;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

import com.github.dockerjava.api.DockerClient;
import com.github.dockerjava.api.exception.DockerException;
import com.github.dockerjava.api.exception.NotFoundException;
import org.junit.jupiter.api.extension.ConditionEvaluationResult;
import org.junit.jupiter.api.extension.ExecutionCondition;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.testcontainers.DockerClientFactory;
import org.testcontainers.dockerclient.DockerClientProviderStrategy;
import org.testcontainers.dockerclient.TransportConfig;
import org.testcontainers.utility.DockerImageName;

/**
 * Skips a test class where no Docker engine answers, or where an image is neither there
 * nor can be pulled, and says so. It looks once for each image, and before Testcontainers
 * does, which would try to pull for minutes and again for each class.
 */
final class RequiredImage implements ExecutionCondition {

	private static final long PULL_SECONDS = 180;

	private static final String ENGINE = "the engine";

	private static final String ADVICE = "for an engine without a registry see CONTRIBUTING.md";

	/** What is wrong with the engine or an image; empty if nothing is. */
	private static final Map<String, String> KNOWN = new ConcurrentHashMap<>();

	private final String image;

	RequiredImage(String image) {
		this.image = image;
	}

	@Override
	public ConditionEvaluationResult evaluateExecutionCondition(ExtensionContext context) {
		return Stream.of(ENGINE, this.image)
			.map((name) -> KNOWN.computeIfAbsent(name, RequiredImage::look))
			.filter((problem) -> !problem.isEmpty())
			.findFirst()
			.map(ConditionEvaluationResult::disabled)
			.orElseGet(() -> ConditionEvaluationResult.enabled(this.image + " is there"));
	}

	private static String look(String image) {
		String host = System.getenv().getOrDefault("DOCKER_HOST", "unix:///var/run/docker.sock");
		TransportConfig transport = TransportConfig.builder().dockerHost(URI.create(host)).build();
		try (DockerClient client = DockerClientProviderStrategy.getClientForConfig(transport)) {
			client.pingCmd().exec();
			if (image.equals(ENGINE)) {
				return lookAtTestcontainers();
			}
			return isThere(client, image) ? "" : pull(client, DockerImageName.parse(image));
		}
		catch (IOException | RuntimeException ex) {
			return "No Docker engine answers at " + host + ": " + ex;
		}
	}

	/**
	 * Testcontainers starts a container of its own, to clean up after a JVM that crashed.
	 */
	private static String lookAtTestcontainers() {
		String problem = "its log says why";
		try {
			if (DockerClientFactory.instance().isDockerAvailable()) {
				return "";
			}
		}
		catch (RuntimeException ex) {
			problem = ex.getMessage();
		}
		return "Testcontainers cannot use the Docker engine (" + problem + "); " + ADVICE;
	}

	private static boolean isThere(DockerClient client, String image) {
		try {
			client.inspectImageCmd(image).exec();
			return true;
		}
		catch (NotFoundException ex) {
			return false;
		}
	}

	private static String pull(DockerClient client, DockerImageName image) {
		String problem = "it takes too long";
		try {
			if (client.pullImageCmd(image.getUnversionedPart())
				.withTag(image.getVersionPart())
				.start()
				.awaitCompletion(PULL_SECONDS, TimeUnit.SECONDS)) {
				return "";
			}
		}
		catch (InterruptedException ex) {
			Thread.currentThread().interrupt();
			problem = "interrupted";
		}
		catch (DockerException ex) {
			problem = ex.getMessage();
		}
		return image + " is not there and cannot be pulled (" + problem + "); " + ADVICE;
	}

}
