package io.distributedlock.boot.starter;

import java.util.List;
import java.util.Locale;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

import io.distributedlock.LockInspector;
import io.distributedlock.LockNotAcquiredException;
import io.distributedlock.spring.DistributedLock;
import org.junit.jupiter.api.Test;

import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.boot.health.contributor.HealthContributor;
import org.springframework.context.ApplicationContext;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.Import;
import org.springframework.util.ClassUtils;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

/**
 * What each starter gives to an application that has nothing else: locks in its own
 * store, and neither clients nor health checks of other stores. The application of a
 * subclass imports {@link Beans}.
 */
public abstract class StarterContractTests {

	/** A type of each store's client, which only its own starter may bring. */
	private static final List<String> CLIENTS = List.of(
			"org.springframework.data.redis.connection.RedisConnectionFactory", "io.lettuce.core.RedisClient",
			"org.springframework.jdbc.core.JdbcTemplate", "io.etcd.jetcd.Client", "org.apache.zookeeper.ZooKeeper");

	private final String store;

	private final List<String> ownClients;

	@Autowired
	private Shop shop;

	@Autowired
	private LockInspector inspector;

	@Autowired
	private ApplicationContext context;

	/**
	 * Tells which starter is tested.
	 * @param store the name of its store
	 * @param ownClients those types of clients that it brings
	 */
	protected StarterContractTests(String store, String... ownClients) {
		this.store = store;
		this.ownClients = List.of(ownClients);
	}

	@Test
	void annotatedMethodsExcludeEachOther() throws Exception {
		assertThat(this.inspector.stores()).containsExactly(this.store);
		CountDownLatch inside = new CountDownLatch(1);
		CountDownLatch leave = new CountDownLatch(1);
		CompletableFuture<Void> first = CompletableFuture.runAsync(() -> this.shop.buy("42", () -> {
			inside.countDown();
			await(leave);
		}));
		await(inside);
		assertThat(this.inspector.find(this.inspector.held().get(0).key(), null)).isPresent();
		assertThatExceptionOfType(LockNotAcquiredException.class).isThrownBy(() -> this.shop.buy("42", () -> {
		}));
		leave.countDown();
		first.get(10, TimeUnit.SECONDS);
		this.shop.buy("42", () -> {
		});
	}

	@Test
	void onlyTheStoresOwnClientIsOnTheClasspath() {
		assertThat(CLIENTS).filteredOn((type) -> ClassUtils.isPresent(type, null))
			.containsExactlyInAnyOrderElementsOf(this.ownClients);
	}

	@Test
	void healthAsksNoOtherStore() {
		assertThat(this.context.getBeanNamesForType(HealthContributor.class)).contains("lockHealthIndicator")
			.noneMatch((name) -> name.toLowerCase(Locale.ROOT).contains("redis") && !this.store.equals("redis"));
	}

	private static void await(CountDownLatch latch) {
		try {
			assertThat(latch.await(10, TimeUnit.SECONDS)).isTrue();
		}
		catch (InterruptedException ex) {
			Thread.currentThread().interrupt();
			throw new AssertionError("Interrupted", ex);
		}
	}

	/**
	 * What the application has beside its store.
	 */
	@Configuration(proxyBeanMethods = false)
	@Import(Shop.class)
	public static class Beans {

	}

	/**
	 * A service with a lock.
	 */
	public static class Shop {

		@DistributedLock(name = "stock", key = "#productId", waitTime = "100ms")
		public void buy(String productId, Runnable work) {
			work.run();
		}

	}

}
