package io.distributedlock.sample;

import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

import io.distributedlock.engine.LockEngine;
import io.distributedlock.sample.Client.Answer;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;

import org.springframework.boot.jdbc.autoconfigure.JdbcConnectionDetails;
import org.springframework.boot.data.redis.autoconfigure.DataRedisConnectionDetails;
import org.springframework.boot.test.system.CapturedOutput;
import org.springframework.boot.test.system.OutputCaptureExtension;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.core.env.Environment;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatException;

/**
 * Tests with several instances of the application on the same servers.
 */
@ExtendWith(OutputCaptureExtension.class)
class InstancesTests {

	private final Instances instances = new Instances();

	@AfterEach
	void stopInstances() {
		this.instances.close();
	}

	private ConfigurableApplicationContext start(String... properties) {
		return start(new Class<?>[] { SeckillApplication.class }, "target/test-servers", properties);
	}

	private ConfigurableApplicationContext start(Class<?>[] sources, String directory, String... properties) {
		return this.instances.start(sources, directory, properties);
	}

	private static Client client(ConfigurableApplicationContext instance) {
		return Instances.client(instance);
	}

	private static JsonNode storm(String product, Client... targets) {
		return Instances.storm(product, 50, 300, targets);
	}

	@Test
	void twoInstancesTogetherSellExactlyTheStock() {
		Client one = client(start());
		Client two = client(start());
		JsonNode result = storm("instances", one, two);
		assertThat(result.get("outcomes").get("FAILED").asInt()).as(result.toString()).isZero();
		assertThat(result.get("product").get("orders").asInt()).isEqualTo(50);
		assertThat(result.get("product").get("stock").asInt()).isZero();
		assertThat(result.get("product").get("buyersTwice").asInt()).isZero();
		assertThat(two.product("instances").get("orders").asInt()).isEqualTo(50);
		assertThat(two.get("/actuator/prometheus").response().body())
			.containsPattern("lock_acquire_seconds_count\\{[^}]*lock_name=\"stock\"[^}]*outcome=\"acquired\"");
	}

	/**
	 * Shows that the lock, and nothing else, keeps buyers apart. One gate per instance
	 * would still do so within an instance, so there are two of them.
	 */
	@Test
	void aStoreThatGrantsEverybodyOversellsOrIsRefusedByTheFence() {
		Class<?>[] sources = { SeckillApplication.class, EverybodyConfiguration.class };
		Client one = client(start(sources, "target/test-servers", "seckill.pause=3ms"));
		Client two = client(start(sources, "target/test-servers", "seckill.pause=3ms"));
		JsonNode result = storm("everybody", one, two);
		int oversold = result.get("product").get("oversold").asInt();
		int stale = result.get("outcomes").get("STALE").asInt();
		assertThat(oversold + stale).as(result.toString()).isPositive();
	}

	@Test
	void aHolderWhoseLeaseEndedBeforeItsWriteIsRefusedByTheDatabase() throws Exception {
		Client slow = client(start("seckill.pause=6000ms", "distributed-lock.locks.stock.ttl=1500ms",
				"distributed-lock.locks.stock.renew=false"));
		Client fast = client(start("distributed-lock.locks.stock.wait-time=20s"));
		fast.openSale("fenced", 10);
		// The first request of an application takes the longest.
		slow.get("/actuator/locks").as(200);
		CompletableFuture<Answer> late = CompletableFuture.supplyAsync(() -> slow.buy("fenced", "late"));
		Awaitility.await()
			.atMost(Duration.ofSeconds(10))
			.until(() -> slow.get("/actuator/locks").as(200).get("heldCount").asInt() == 1);
		JsonNode order = fast.buy("fenced", "quick").as(201);
		JsonNode refusal = late.get(20, TimeUnit.SECONDS).asProblem(409, "stale-token");
		assertThat(refusal.get("detail").asString()).contains(order.get("token").asString() + " has been seen");
		JsonNode product = fast.product("fenced");
		assertThat(product.get("orders").asInt()).isEqualTo(1);
		assertThat(product.get("stock").asInt()).isEqualTo(9);
	}

	@Test
	void serversThatTheConfigurationNamesAreUsedAndNoneIsStarted(@TempDir Path temp) {
		ConfigurableApplicationContext embedded = start();
		var redis = embedded.getBean(DataRedisConnectionDetails.class);
		var postgres = embedded.getBean(JdbcConnectionDetails.class);
		Path unused = temp.resolve("servers");
		ConfigurableApplicationContext configured = start(new Class<?>[] { SeckillApplication.class },
				unused.toString(), "spring.data.redis.host=" + redis.getStandalone().getHost(),
				"spring.data.redis.port=" + redis.getStandalone().getPort(),
				"spring.data.redis.password=" + redis.getPassword(), "spring.datasource.url=" + postgres.getJdbcUrl(),
				"spring.datasource.username=" + postgres.getUsername(),
				"spring.datasource.password=" + postgres.getPassword());
		assertThat(configured.getBeanNamesForType(DataRedisConnectionDetails.class)).hasSize(1)
			.doesNotContain("embeddedRedisConnectionDetails");
		assertThat(configured.containsBean("embeddedRedis")).isFalse();
		assertThat(configured.containsBean("embeddedPostgres")).isFalse();
		assertThat(unused).doesNotExist();
		JsonNode result = storm("configured", client(configured), client(embedded));
		assertThat(result.get("product").get("orders").asInt()).isEqualTo(50);
	}

	@Test
	void onlyTheServerThatTheConfigurationLeavesOpenIsStarted(@TempDir Path temp) {
		ConfigurableApplicationContext embedded = start();
		var postgres = embedded.getBean(JdbcConnectionDetails.class);
		Path own = temp.resolve("servers");
		ConfigurableApplicationContext half = start(new Class<?>[] { SeckillApplication.class }, own.toString(),
				"spring.datasource.url=" + postgres.getJdbcUrl(),
				"spring.datasource.username=" + postgres.getUsername(),
				"spring.datasource.password=" + postgres.getPassword());
		assertThat(half.containsBean("embeddedRedis")).isTrue();
		assertThat(half.containsBean("embeddedPostgres")).isFalse();
		assertThat(Files.exists(own.resolve("redis"))).isTrue();
		assertThat(Files.exists(own.resolve("postgres"))).isFalse();
	}

	@Test
	void aPortThatIsTakenIsReportedWithWhatToDo(@TempDir Path temp, CapturedOutput output) throws Exception {
		try (ServerSocket stranger = new ServerSocket(0, 8, InetAddress.getLoopbackAddress())) {
			stranger.setSoTimeout(1);
			assertThatException().isThrownBy(() -> start("seckill.servers.directory=" + temp,
					"seckill.servers.postgres-port=" + stranger.getLocalPort()));
		}
		assertThat(output).contains("APPLICATION FAILED TO START")
			.contains("Choose another port with --seckill.servers.postgres-port")
			.contains("--spring.datasource.url");
	}

	/**
	 * Puts a store in place that keeps nobody out.
	 */
	@Configuration(proxyBeanMethods = false)
	static class EverybodyConfiguration {

		@Bean(destroyMethod = "close")
		LockEngine lockEngine(Environment environment) {
			return LockEngine.builder().store(new GrantsEverybodyStore()).build();
		}

	}

}
