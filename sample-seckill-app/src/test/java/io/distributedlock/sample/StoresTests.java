package io.distributedlock.sample;

import java.io.File;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import tools.jackson.databind.JsonNode;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatException;
import static org.assertj.core.api.Assumptions.assumeThat;

/**
 * The same application on each store, chosen by one property.
 */
class StoresTests {

	private static final Logger logger = LoggerFactory.getLogger(StoresTests.class);

	private final Instances instances = new Instances();

	@AfterEach
	void stopInstances() {
		this.instances.close();
	}

	@ParameterizedTest
	@ValueSource(strings = { "redis", "jdbc", "etcd", "zookeeper", "redlock" })
	void twoInstancesTogetherSellExactlyTheStock(String store) {
		if (store.equals("etcd")) {
			assumeThat(isInstalled("etcd")).as("etcd is installed (Debian: apt-get install etcd-server)").isTrue();
		}
		String choice = "distributed-lock.store=" + store;
		Client one = Instances.client(this.instances.start(choice));
		Client two = Instances.client(this.instances.start(choice));
		JsonNode result = Instances.storm("stores", 100, 400, one, two);
		logger.info("{}: {} orders, {} answers/s, latency {}", store, result.get("product").get("orders"),
				result.get("perSecond"), result.get("latencyMillis"));
		assertThat(result.get("outcomes").get("FAILED").asInt()).as(result.toString()).isZero();
		assertThat(result.get("product").get("orders").asInt()).isEqualTo(100);
		assertThat(result.get("product").get("stock").asInt()).isZero();
		assertThat(result.get("product").get("buyersTwice").asInt()).isZero();
		for (Client instance : List.of(one, two)) {
			JsonNode stores = instance.get("/actuator/locks").as(200).get("stores");
			assertThat(stores.toString()).isEqualTo("[\"" + store + "\"]");
			assertThat(instance.get("/actuator/health").as(200).get("status").asString()).isEqualTo("UP");
			assertThat(instance.get("/actuator/prometheus").response().body())
				.containsPattern("lock_acquire_seconds_count\\{[^}]*outcome=\"acquired\",store=\"" + store + "\"");
		}
	}

	private static boolean isInstalled(String program) {
		return Stream.of(System.getenv("PATH").split(File.pathSeparator))
			.anyMatch((directory) -> Files.isExecutable(Path.of(directory, program)));
	}

	@Test
	void aSingleInstanceSellsExactlyTheStockWithLocksInMemory() {
		Client one = Instances.client(this.instances.start("distributed-lock.store=memory"));
		JsonNode result = Instances.storm("memory", 50, 200, one);
		assertThat(result.get("product").get("orders").asInt()).isEqualTo(50);
	}

	@Test
	void onlyTheServersOfTheChosenStoreAreStarted(@TempDir Path temp) {
		this.instances.start(new Class<?>[] { SeckillApplication.class }, temp.toString(),
				"distributed-lock.store=redlock");
		assertThat(temp.toFile().list()).containsExactlyInAnyOrder("postgres", "redlock-1", "redlock-2", "redlock-3",
				"redlock-4", "redlock-5");
		this.instances.close();
	}

	@Test
	void aStoreThatDoesNotExistIsAnError() {
		assertThatException().isThrownBy(() -> this.instances.start("distributed-lock.store=nowhere"))
			.withStackTraceContaining("stores/nowhere.yml");
	}

}
