package io.distributedlock.starter.jdbc;

import java.util.Locale;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

import io.distributedlock.LockInspector;
import io.distributedlock.LockNotAcquiredException;
import io.distributedlock.spring.DistributedLock;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.boot.SpringBootConfiguration;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.boot.health.contributor.HealthContributor;
import org.springframework.boot.test.context.SpringBootTest;
import org.springframework.context.ApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.util.ClassUtils;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

/**
 * An application with this starter and nothing else.
 */
@SpringBootTest
class JdbcStarterTests {

	@Autowired
	private Shop shop;

	@Autowired
	private LockInspector inspector;

	@Autowired
	private ApplicationContext context;

	@Test
	void annotatedMethodsExcludeEachOther() throws Exception {
		assertThat(this.inspector.stores()).containsExactly("jdbc");
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

	@ParameterizedTest
	@ValueSource(strings = { "org.springframework.data.redis.connection.RedisConnectionFactory",
			"io.lettuce.core.RedisClient", "io.etcd.jetcd.Client", "org.apache.zookeeper.ZooKeeper" })
	void noOtherStoreIsOnTheClasspath(String type) {
		assertThat(ClassUtils.isPresent(type, null)).isFalse();
	}

	@Test
	void healthAsksNoOtherStore() {
		assertThat(this.context.getBeanNamesForType(HealthContributor.class)).contains("lockHealthIndicator")
			.noneMatch((name) -> name.toLowerCase(Locale.ROOT).contains("redis"));
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

	@SpringBootConfiguration(proxyBeanMethods = false)
	@EnableAutoConfiguration
	static class Application {

		@Bean
		Shop shop() {
			return new Shop();
		}

	}

	static class Shop {

		@DistributedLock(name = "stock", key = "#productId", waitTime = "100ms")
		public void buy(String productId, Runnable work) {
			work.run();
		}

	}

}
