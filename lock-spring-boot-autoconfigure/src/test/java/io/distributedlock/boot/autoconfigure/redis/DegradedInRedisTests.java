package io.distributedlock.boot.autoconfigure.redis;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

import io.distributedlock.Lease;
import io.distributedlock.LockContext;
import io.distributedlock.LockInspector;
import io.distributedlock.LockStoreException;
import io.distributedlock.boot.autoconfigure.DistributedLockAspectAutoConfiguration;
import io.distributedlock.boot.autoconfigure.DistributedLockAutoConfiguration;
import io.distributedlock.boot.autoconfigure.logging.LockLoggingAutoConfiguration;
import io.distributedlock.boot.autoconfigure.metrics.LockMetricsAutoConfiguration;
import io.distributedlock.engine.LockEngine;
import io.distributedlock.spring.DistributedLock;
import io.distributedlock.spring.InvalidDistributedLockException;
import io.distributedlock.store.redis.server.RedisServerProcess;
import io.micrometer.core.instrument.MeterRegistry;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

import org.springframework.beans.factory.BeanCreationException;
import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.autoconfigure.aop.AopAutoConfiguration;
import org.springframework.boot.data.redis.autoconfigure.DataRedisAutoConfiguration;
import org.springframework.boot.logging.LogLevel;
import org.springframework.boot.logging.LoggingSystem;
import org.springframework.boot.micrometer.metrics.autoconfigure.CompositeMeterRegistryAutoConfiguration;
import org.springframework.boot.micrometer.metrics.autoconfigure.MetricsAutoConfiguration;
import org.springframework.boot.micrometer.metrics.autoconfigure.export.simple.SimpleMetricsExportAutoConfiguration;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.boot.test.system.CapturedOutput;
import org.springframework.boot.test.system.OutputCaptureExtension;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.awaitility.Awaitility.await;

/**
 * Locks whose Redis is stopped and started again, and what is configured for that.
 */
@ExtendWith(OutputCaptureExtension.class)
class DegradedInRedisTests {

	private static RedisServerProcess redis;

	@BeforeAll
	static void start() {
		redis = RedisServerProcess.start();
	}

	@AfterAll
	static void stop() {
		redis.close();
	}

	private static ApplicationContextRunner runner() {
		return new ApplicationContextRunner()
			.withConfiguration(AutoConfigurations.of(AopAutoConfiguration.class, MetricsAutoConfiguration.class,
					CompositeMeterRegistryAutoConfiguration.class, SimpleMetricsExportAutoConfiguration.class,
					DataRedisAutoConfiguration.class, RedisLockStoreAutoConfiguration.class,
					DistributedLockAutoConfiguration.class, DistributedLockAspectAutoConfiguration.class,
					LockMetricsAutoConfiguration.class, LockLoggingAutoConfiguration.class))
			.withPropertyValues("spring.data.redis.host=127.0.0.1", "spring.data.redis.port=" + redis.port(),
					"distributed-lock.command-timeout=2s");
	}

	@Test
	void methodsRunWithinTheInstanceWhileRedisIsDownAndInRedisWhenItIsBack(CapturedOutput output) {
		// Which level it has here depends on the tests that ran before.
		LoggingSystem.get(getClass().getClassLoader()).setLogLevel(LockEngine.class.getName(), LogLevel.INFO);
		runner().withBean(Shop.class)
			.withPropertyValues("distributed-lock.locks.shop-buy.on-outage=local")
			.run((context) -> {
				Shop shop = context.getBean(Shop.class);
				assertThat(shop.buy("42")).startsWith("in the store");
				redis.kill();
				assertThat(shop.buy("42")).isEqualTo("degraded, 1 held");
				assertThat(shop.buyLater("42").get(20, TimeUnit.SECONDS)).isEqualTo("degraded");
				assertThatIllegalStateException().isThrownBy(shop::token).withMessageContaining("no fencing token");
				assertThatExceptionOfType(LockStoreException.class).isThrownBy(shop::strict);
				assertThat(context.getBean(MeterRegistry.class)
					.get("lock.degraded")
					.tag("lock.name", "Shop.buy")
					.counter()
					.count()).isEqualTo(3);
				assertThat(output).contains("Lock 'Shop.buy:42' is held by")
					.contains("within this instance ONLY: the store 'redis' is out")
					.contains("The lock store 'redis' is out: ");
				redis.restart();
				await().atMost(Duration.ofSeconds(20)).until(() -> shop.buy("42").startsWith("in the store"));
				// Another thread may say so, a moment later.
				await().untilAsserted(() -> assertThat(output).contains("The lock store 'redis' answers again"));
			});
	}

	@Test
	void whatCannotDegradeIsAnErrorAtStartUp() {
		refused(Kept.class, "distributed-lock.locks.stock.on-outage=local", "keep = true");
		refused(Fair.class, "distributed-lock.locks.stock.on-outage=local", "fair = true");
		refused(Renewed.class, "distributed-lock.locks.stock.adaptive-ttl.enabled=true", "Set renew = false");
	}

	private static <T> void refused(Class<T> bean, String property, String message) {
		runner().withBean(bean).withPropertyValues(property).run((context) -> {
			Throwable failure = context.getStartupFailure();
			while (failure instanceof BeanCreationException) {
				failure = failure.getCause();
			}
			assertThat(failure).isInstanceOfSatisfying(InvalidDistributedLockException.class,
					(invalid) -> assertThat(invalid.action()).contains(message));
		});
	}

	@Test
	void adaptiveTtlIsUsedByMethodsWithoutRenewal() {
		runner().withBean(Quick.class)
			.withPropertyValues("distributed-lock.locks.quick.adaptive-ttl.enabled=true",
					"distributed-lock.locks.quick.adaptive-ttl.min=2s")
			.run((context) -> {
				Quick quick = context.getBean(Quick.class);
				assertThat(quick.remaining()).isGreaterThan(Duration.ofSeconds(25));
				for (int i = 0; i < 100; i++) {
					quick.remaining();
				}
				assertThat(quick.remaining()).isLessThanOrEqualTo(Duration.ofSeconds(2));
				assertThat(context.getBean(LockInspector.class).observedHoldTimes()).singleElement()
					.satisfies((observed) -> {
						assertThat(observed.name()).isEqualTo("quick");
						assertThat(observed.ttl()).isEqualTo(Duration.ofSeconds(2));
					});
			});
	}

	static class Shop {

		@DistributedLock(name = "Shop.buy", key = "#productId")
		public String buy(String productId) {
			List<Lease> leases = LockContext.leases();
			return leases.get(0).isDegraded() ? "degraded, " + leases.size() + " held"
					: "in the store, token " + leases.get(0).fencingToken();
		}

		@DistributedLock(name = "Shop.buy", key = "#productId")
		public CompletableFuture<String> buyLater(String productId) {
			return CompletableFuture
				.completedFuture(LockContext.current().orElseThrow().isDegraded() ? "degraded" : "in the store");
		}

		@DistributedLock(name = "Shop.buy", key = "'token'")
		public long token() {
			return LockContext.current().orElseThrow().fencingToken();
		}

		@DistributedLock(name = "strict", waitTime = "0s")
		public void strict() {
		}

	}

	static class Kept {

		@DistributedLock(name = "stock", keep = "true")
		public void run() {
		}

	}

	static class Fair {

		@DistributedLock(name = "stock", fair = "true")
		public void run() {
		}

	}

	static class Renewed {

		@DistributedLock(name = "stock", ttl = "10s")
		public void run() {
		}

	}

	static class Quick {

		@DistributedLock(name = "quick", renew = "false")
		public Duration remaining() {
			return LockContext.current().orElseThrow().remaining();
		}

	}

}
