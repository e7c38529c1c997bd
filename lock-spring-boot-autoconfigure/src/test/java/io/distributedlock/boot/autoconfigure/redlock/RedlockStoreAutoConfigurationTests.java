package io.distributedlock.boot.autoconfigure.redlock;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Collectors;

import io.distributedlock.LockInspector;
import io.distributedlock.boot.autoconfigure.DistributedLockAspectAutoConfiguration;
import io.distributedlock.boot.autoconfigure.DistributedLockAutoConfiguration;
import io.distributedlock.boot.autoconfigure.memory.MemoryLockStoreAutoConfiguration;
import io.distributedlock.boot.autoconfigure.redis.RedisLockStoreAutoConfiguration;
import io.distributedlock.boot.autoconfigure.support.FailureAnalyses;
import io.distributedlock.spring.DistributedLock;
import io.distributedlock.store.redis.RedlockLockStore;
import io.distributedlock.store.redis.server.RedisCertificate;
import io.distributedlock.store.redis.server.RedisServerProcess;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.autoconfigure.ssl.SslAutoConfiguration;
import org.springframework.boot.data.redis.autoconfigure.DataRedisAutoConfiguration;
import org.springframework.boot.diagnostics.FailureAnalysis;
import org.springframework.boot.ssl.SslBundle;
import org.springframework.boot.ssl.pem.PemSslStoreBundle;
import org.springframework.boot.ssl.pem.PemSslStoreDetails;
import org.springframework.boot.test.context.FilteredClassLoader;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.core.NestedExceptionUtils;
import org.springframework.data.redis.connection.jedis.JedisConnectionFactory;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * Tests for {@link RedlockStoreAutoConfiguration}, with three real Redis servers.
 */
class RedlockStoreAutoConfigurationTests {

	private static final List<RedisServerProcess> servers = new ArrayList<>();

	private static final List<Integer> tlsPorts = new ArrayList<>();

	private static RedisCertificate certificate;

	// Redis is auto-configured as well, since Redlock comes with the starter for Redis.
	private final ApplicationContextRunner bare = new ApplicationContextRunner().withConfiguration(AutoConfigurations
		.of(SslAutoConfiguration.class, DataRedisAutoConfiguration.class, RedisLockStoreAutoConfiguration.class,
				RedlockStoreAutoConfiguration.class, MemoryLockStoreAutoConfiguration.class,
				DistributedLockAutoConfiguration.class, DistributedLockAspectAutoConfiguration.class));

	@BeforeAll
	static void start() {
		certificate = RedisCertificate.create();
		for (int number = 0; number < 3; number++) {
			tlsPorts.add(RedisServerProcess.freePort());
			servers
				.add(certificate.start(tlsPorts.get(number), "--user", "locks", "on", ">secret", "~*", "&*", "+@all"));
		}
	}

	@AfterAll
	static void stop() {
		servers.forEach(RedisServerProcess::close);
		certificate.close();
	}

	private static String nodes() {
		return servers.stream().map((server) -> "127.0.0.1:" + server.port()).collect(Collectors.joining(","));
	}

	private ApplicationContextRunner runner() {
		return this.bare.withPropertyValues("distributed-lock.redlock.nodes=" + nodes(),
				"distributed-lock.redlock.username=locks", "distributed-lock.redlock.password=secret");
	}

	@Test
	void annotatedMethodHoldsItsLockOnAMajority() {
		runner().withBean(Shop.class).run((context) -> {
			AtomicInteger held = new AtomicInteger();
			context.getBean(Shop.class).buy("42", () -> held.set(holders()));
			assertThat(held.get()).isGreaterThanOrEqualTo(2);
			assertThat(context.getBean(LockInspector.class).stores()).containsExactly("redlock");
		});
	}

	private static int holders() {
		return (int) servers.stream()
			.filter((server) -> server.command("KEYS", "lock:*stock:42").contains("stock:42"))
			.count();
	}

	@Test
	void nodesMayBeUrlsWithCredentials() {
		List<String> urls = servers.stream()
			.map((server) -> "redis://locks:secret@127.0.0.1:" + server.port())
			.toList();
		this.bare.withPropertyValues("distributed-lock.redlock.nodes[0]=" + urls.get(0),
				"distributed-lock.redlock.nodes[1]=" + urls.get(1), "distributed-lock.redlock.nodes[2]=" + urls.get(2))
			.run((context) -> assertThat(context.getBean(LockInspector.class).stores()).containsExactly("redlock"));
	}

	private ApplicationContextRunner tls(String scheme) {
		return runner().withPropertyValues("distributed-lock.redlock.nodes="
				+ tlsPorts.stream().map((port) -> scheme + "127.0.0.1:" + port).collect(Collectors.joining(",")));
	}

	@ParameterizedTest
	@ValueSource(strings = { "", "rediss://" })
	void anSslBundleSwitchesTlsOn(String scheme) {
		tls(scheme).withBean(Shop.class)
			.withPropertyValues("distributed-lock.redlock.ssl.bundle=nodes",
					"spring.ssl.bundle.pem.nodes.truststore.certificate=file:" + certificate.file())
			.run((context) -> {
				AtomicInteger held = new AtomicInteger();
				context.getBean(Shop.class).buy("42", () -> held.set(holders()));
				assertThat(held.get()).isGreaterThanOrEqualTo(2);
			});
	}

	@Test
	void anSslBundleSwitchesTlsOnForJedis() throws Exception {
		RedlockConnectionDetails details = new Details(tlsPorts, SslBundle
			.of(new PemSslStoreBundle(null, PemSslStoreDetails.forCertificate("file:" + certificate.file()))));
		RedlockConnections connections = new RedlockConnections(details, Duration.ofSeconds(1), false);
		try (RedlockLockStore store = RedlockLockStore.builder(connections.factories()).build()) {
			assertThat(connections.factories()).hasOnlyElementsOfType(JedisConnectionFactory.class);
			assertThat(store.check()).isEmpty();
		}
		finally {
			connections.destroy();
		}
	}

	@Test
	void aCertificateThatTheJvmDoesNotTrustIsAnErrorThatSaysSo() {
		tls("rediss://").run((context) -> {
			FailureAnalysis analysis = FailureAnalyses.of(context.getStartupFailure());
			assertThat(analysis.getDescription()).contains("does not trust the certificate of Redis")
				.doesNotContain("secret");
			assertThat(analysis.getAction()).contains("distributed-lock.redlock.*");
		});
	}

	@Test
	void connectionDetailsWin() {
		this.bare.withPropertyValues("distributed-lock.redlock.nodes=one:1,two:2,three:3")
			.withBean(RedlockConnectionDetails.class,
					() -> new Details(servers.stream().map(RedisServerProcess::port).toList(), null))
			.run((context) -> assertThat(context).hasNotFailed().hasSingleBean(RedlockConnectionDetails.class));
	}

	@Test
	void theApplicationsOwnRedisIsLeftAlone() {
		runner()
			.run((context) -> assertThat(context).hasBean("redisConnectionFactory").doesNotHaveBean("redisLockStore"));
	}

	@Test
	void tooFewNodesAreAnErrorThatSaysHowMany() {
		this.bare.withPropertyValues("distributed-lock.redlock.nodes=one:6379,two:6379").run((context) -> {
			FailureAnalysis analysis = FailureAnalyses.of(context.getStartupFailure());
			assertThat(analysis.getDescription()).contains("distributed-lock.redlock.nodes has 2 of the 3");
			assertThat(analysis.getAction()).contains("spring.data.redis");
		});
	}

	@Test
	void wrongPasswordIsAnErrorThatHidesIt() {
		runner().withPropertyValues("distributed-lock.redlock.password=geheim")
			.run((context) -> assertThat(FailureAnalyses.of(context.getStartupFailure()).getDescription())
				.contains("WRONGPASS")
				.doesNotContain("geheim"));
	}

	@Test
	void oneServerNamedTwiceIsAnError() {
		assertThat(message("distributed-lock.redlock.nodes=one:6379,two:6379,redis://:geheim@one"))
			.contains("names a server twice")
			.doesNotContain("geheim");
	}

	@Test
	void unusableEntriesAreErrorsThatHideThePassword() {
		assertThat(message("distributed-lock.redlock.nodes=one,two,http://:geheim@three")).contains("Use host:port")
			.doesNotContain("geheim");
		assertThat(message("distributed-lock.redlock.nodes=one,two,redis://three/x")).contains("Use host:port");
		assertThat(message("distributed-lock.redlock.nodes=one,two,t hree")).contains("Use host:port");
	}

	@Test
	void unusablePrefixAndTimeoutAreErrors() {
		String nodes = "distributed-lock.redlock.nodes=one,two,three";
		assertThat(message(nodes, "distributed-lock.redlock.prefix=a b")).contains("distributed-lock.redlock.prefix");
		assertThat(message(nodes, "distributed-lock.redlock.node-timeout=0s"))
			.contains("distributed-lock.redlock.node-timeout is 0ms");
	}

	private String message(String... properties) {
		StringBuilder message = new StringBuilder();
		this.bare.withPropertyValues(properties)
			.run((context) -> message
				.append(NestedExceptionUtils.getMostSpecificCause(context.getStartupFailure()).getMessage()));
		return message.toString();
	}

	@Test
	void unreachableMajorityIsAnErrorAtStartUp() {
		this.bare
			.withPropertyValues(
					"distributed-lock.redlock.nodes=127.0.0.1:" + servers.get(0).port() + ",127.0.0.1:1,127.0.0.1:2",
					"distributed-lock.redlock.username=locks", "distributed-lock.redlock.password=secret")
			.run((context) -> assertThat(FailureAnalyses.of(context.getStartupFailure()).getAction())
				.contains("distributed-lock.redlock.nodes")
				.contains("distributed-lock.redlock.enabled=false"));
	}

	@Test
	void storeIsAbsentWithoutNodes() {
		this.bare.withPropertyValues("distributed-lock.enabled=false")
			.run((context) -> assertThat(context).doesNotHaveBean("redlockLockStore")
				.doesNotHaveBean("redlockConnections"));
	}

	@Test
	void storeIsAbsentWithoutItsClass() {
		runner().withClassLoader(new FilteredClassLoader(RedlockLockStore.class))
			.withPropertyValues("distributed-lock.enabled=false")
			.run((context) -> assertThat(context).doesNotHaveBean("redlockLockStore"));
	}

	@Test
	void storeCanBeSwitchedOff() {
		runner().withPropertyValues("distributed-lock.redlock.enabled=false", "distributed-lock.enabled=false")
			.run((context) -> assertThat(context).doesNotHaveBean("redlockLockStore"));
	}

	@Test
	void credentialsAndTlsOfTheUrlWinOverTheCommonOnes() {
		RedlockNode own = RedlockNode.parse("rediss://ann:a%3Ab@host:7000/3").withDefaults("bob", "secret", false);
		assertThat(own).isEqualTo(new RedlockNode("host", 7000, 3, "ann", "a:b", true));
		RedlockNode common = RedlockNode.parse("host").withDefaults("bob", "secret", true);
		assertThat(common).isEqualTo(new RedlockNode("host", 6379, 0, "bob", "secret", true));
		assertThat(common).hasToString("host:6379");
	}

	private record Details(List<Integer> ports, @Nullable SslBundle bundle) implements RedlockConnectionDetails {

		@Override
		public List<String> getNodes() {
			return this.ports.stream().map((port) -> "127.0.0.1:" + port).toList();
		}

		@Override
		public String getUsername() {
			return "locks";
		}

		@Override
		public String getPassword() {
			return "secret";
		}

		@Override
		public @Nullable SslBundle getSslBundle() {
			return this.bundle;
		}

	}

	static class Shop {

		@DistributedLock(name = "stock", key = "#productId")
		public void buy(String productId, Runnable work) {
			work.run();
		}

	}

}
