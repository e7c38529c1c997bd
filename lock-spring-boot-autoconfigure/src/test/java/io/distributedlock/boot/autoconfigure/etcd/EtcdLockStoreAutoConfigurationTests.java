package io.distributedlock.boot.autoconfigure.etcd;

import java.net.URI;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;

import io.distributedlock.LockInspector;
import io.distributedlock.boot.autoconfigure.DistributedLockAspectAutoConfiguration;
import io.distributedlock.boot.autoconfigure.DistributedLockAutoConfiguration;
import io.distributedlock.boot.autoconfigure.memory.MemoryLockStoreAutoConfiguration;
import io.distributedlock.boot.autoconfigure.support.FailureAnalyses;
import io.distributedlock.spring.DistributedLock;
import io.distributedlock.store.etcd.EtcdLockStore;
import io.distributedlock.store.etcd.server.EtcdServer;
import io.etcd.jetcd.Client;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.autoconfigure.ssl.SslAutoConfiguration;
import org.springframework.boot.diagnostics.FailureAnalysis;
import org.springframework.boot.test.context.FilteredClassLoader;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.core.NestedExceptionUtils;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

/**
 * Tests for {@link EtcdLockStoreAutoConfiguration}, with a real etcd that asks for a
 * password.
 */
class EtcdLockStoreAutoConfigurationTests {

	private static EtcdServer etcd;

	private final ApplicationContextRunner bare = new ApplicationContextRunner().withConfiguration(AutoConfigurations
		.of(SslAutoConfiguration.class, EtcdLockStoreAutoConfiguration.class, MemoryLockStoreAutoConfiguration.class,
				DistributedLockAutoConfiguration.class, DistributedLockAspectAutoConfiguration.class));

	private final ApplicationContextRunner runner = this.bare.withPropertyValues(
			"distributed-lock.etcd.endpoints=" + etcd.endpoint(), "distributed-lock.etcd.username=root",
			"distributed-lock.etcd.password=secret");

	@BeforeAll
	static void start() {
		assumeThat(EtcdServer.isInstalled()).as(EtcdServer.INSTALL).isTrue();
		etcd = EtcdServer.start();
		etcd.etcdctl("user", "add", "root:secret");
		etcd.etcdctl("user", "grant-role", "root", "root");
		etcd.etcdctl("auth", "enable");
	}

	@AfterAll
	static void stop() {
		if (etcd != null) {
			etcd.close();
		}
	}

	private static String keys(String prefix) {
		return etcd.etcdctl("--user", "root:secret", "get", "--prefix", "--keys-only", prefix);
	}

	@Test
	void annotatedMethodHoldsItsLockInEtcd() {
		this.runner.withBean(Shop.class).run((context) -> {
			AtomicReference<String> held = new AtomicReference<>("");
			context.getBean(Shop.class).buy("42", () -> held.set(keys("/distributed-lock/")));
			assertThat(held.get()).contains("stock:42");
			assertThat(context.getBean(LockInspector.class).stores()).containsExactly("etcd");
		});
	}

	@Test
	void prefixIsUsed() {
		this.runner.withBean(Shop.class).withPropertyValues("distributed-lock.etcd.prefix=/acme/").run((context) -> {
			AtomicReference<String> held = new AtomicReference<>("");
			context.getBean(Shop.class).buy("42", () -> held.set(keys("/acme/")));
			assertThat(held.get()).contains("stock:42");
		});
	}

	@Test
	void connectionDetailsWinOverProperties() {
		this.bare.withPropertyValues("distributed-lock.etcd.endpoints=http://127.0.0.1:1")
			.withBean(EtcdConnectionDetails.class, () -> new EtcdConnectionDetails() {
				@Override
				public List<URI> getEndpoints() {
					return List.of(URI.create(etcd.endpoint()));
				}

				@Override
				public String getUsername() {
					return "root";
				}

				@Override
				public String getPassword() {
					return "secret";
				}
			})
			.run((context) -> assertThat(context).hasNotFailed().hasSingleBean(EtcdConnectionDetails.class));
	}

	@Test
	void theApplicationsOwnClientIsUsed() {
		this.bare.withBean("mine", Client.class,
				() -> EtcdClients.create(
						new PropertiesEtcdConnectionDetails(new EtcdLockProperties(null, List.of(etcd.endpoint()),
								"root", "secret", "/x/", new EtcdLockProperties.Ssl(null)), null),
						Duration.ofSeconds(2)))
			.run((context) -> {
				assertThat(context).hasSingleBean(Client.class).doesNotHaveBean("etcdLockClient");
				assertThat(context.getBean(LockInspector.class).stores()).containsExactly("etcd");
			});
	}

	@Test
	void wrongPasswordIsAnErrorThatHidesIt() {
		this.runner.withPropertyValues("distributed-lock.etcd.password=geheim").run((context) -> {
			FailureAnalysis analysis = FailureAnalyses.of(context.getStartupFailure());
			assertThat(analysis.getDescription()).contains("etcd lock store").doesNotContain("geheim");
			assertThat(analysis.getAction()).contains("distributed-lock.etcd.");
		});
	}

	@Test
	void unreachableEtcdIsAnErrorAtStartUpThatNamesTheServer() {
		this.bare.withPropertyValues("distributed-lock.etcd.endpoints=http://127.0.0.1:1").run((context) -> {
			FailureAnalysis analysis = FailureAnalyses.of(context.getStartupFailure());
			// At once and with its cause, since nothing waits for a connection.
			assertThat(analysis.getDescription()).contains("http://127.0.0.1:1").contains("etcd cannot be reached");
			assertThat(analysis.getAction()).contains("distributed-lock.etcd.endpoints")
				.contains("distributed-lock.etcd.enabled=false");
		});
	}

	@Test
	void switchedOffLocksNeedNoEtcd() {
		this.bare
			.withPropertyValues("distributed-lock.etcd.endpoints=http://127.0.0.1:1", "distributed-lock.enabled=false")
			.run((context) -> assertThat(context).hasNotFailed());
	}

	@Test
	void storeIsAbsentWithoutEndpoints() {
		this.bare.withPropertyValues("distributed-lock.enabled=false")
			.run((context) -> assertThat(context).doesNotHaveBean("etcdLockStore").doesNotHaveBean("etcdLockClient"));
	}

	@Test
	void storeIsAbsentWithoutItsModule() {
		this.runner.withClassLoader(new FilteredClassLoader(EtcdLockStore.class))
			.withPropertyValues("distributed-lock.enabled=false")
			.run((context) -> assertThat(context).doesNotHaveBean("etcdLockStore"));
	}

	@Test
	void storeCanBeSwitchedOff() {
		this.runner.withPropertyValues("distributed-lock.etcd.enabled=false", "distributed-lock.enabled=false")
			.run((context) -> assertThat(context).doesNotHaveBean("etcdLockStore"));
	}

	@Test
	void memoryStoreInsteadNeedsNoEtcd() {
		this.bare
			.withPropertyValues("distributed-lock.etcd.endpoints=http://127.0.0.1:1", "distributed-lock.store=memory")
			.run((context) -> assertThat(context.getBean(LockInspector.class).stores()).containsExactly("memory"));
	}

	@Test
	void storeBacksOff() {
		this.runner.withBean("mine", EtcdLockStore.class,
				() -> EtcdLockStore.builder(Client.builder().endpoints(etcd.endpoint()).build()).name("mine").build())
			.run((context) -> assertThat(context.getBean(LockInspector.class).stores()).containsExactly("mine"));
	}

	@Test
	void endpointsMayBeAList() {
		this.bare
			.withPropertyValues("distributed-lock.etcd.endpoints[0]=" + etcd.endpoint(),
					"distributed-lock.etcd.username=root", "distributed-lock.etcd.password=secret")
			.run((context) -> assertThat(context).hasNotFailed().hasSingleBean(EtcdLockStore.class));
	}

	@Test
	void unusablePropertiesAreErrorsThatSayWhatToType() {
		assertThat(message("endpoints=ftp://a:1")).contains("Use http://host:port");
		assertThat(message("endpoints=http://a")).contains("Use http://host:port");
		assertThat(message("endpoints=http://user:geheim@a:1")).contains("distributed-lock.etcd.username and .password")
			.doesNotContain("geheim");
		assertThat(message("endpoints=http://a:1,https://b:1")).contains("mixes http and https");
		assertThat(message("endpoints=http://a:1", "ssl.bundle=x")).contains("Write https://");
		assertThat(message("endpoints=http://a:1", "username=x")).contains("only one of username and password");
		assertThat(message("endpoints=http://a:1", "prefix=")).contains("distributed-lock.etcd.prefix is blank");
		assertThat(message("endpoints=https://127.0.0.1:1", "ssl.bundle=nowhere")).contains("nowhere");
	}

	private String message(String... properties) {
		StringBuilder message = new StringBuilder();
		ApplicationContextRunner runner = this.bare;
		for (String property : properties) {
			runner = runner.withPropertyValues("distributed-lock.etcd." + property);
		}
		runner.run((context) -> message
			.append(NestedExceptionUtils.getMostSpecificCause(context.getStartupFailure()).getMessage()));
		return message.toString();
	}

	static class Shop {

		@DistributedLock(name = "stock", key = "#productId")
		public void buy(String productId, Runnable work) {
			work.run();
		}

	}

}
