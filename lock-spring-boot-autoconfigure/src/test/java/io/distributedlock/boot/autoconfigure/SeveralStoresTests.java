package io.distributedlock.boot.autoconfigure;

import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Supplier;
import java.util.stream.Collectors;

import io.distributedlock.Lease;
import io.distributedlock.LockContext;
import io.distributedlock.LockInspector;
import io.distributedlock.LockInspector.HeldLock;
import io.distributedlock.LockInspector.StoredLock;
import io.distributedlock.LockRequest;
import io.distributedlock.LockTemplate;
import io.distributedlock.boot.autoconfigure.endpoint.LocksEndpoint;
import io.distributedlock.boot.autoconfigure.endpoint.LocksEndpointAutoConfiguration;
import io.distributedlock.boot.autoconfigure.health.LockHealthContributorAutoConfiguration;
import io.distributedlock.boot.autoconfigure.health.LockHealthIndicator;
import io.distributedlock.boot.autoconfigure.jdbc.JdbcLockStoreAutoConfiguration;
import io.distributedlock.boot.autoconfigure.memory.MemoryLockStoreAutoConfiguration;
import io.distributedlock.boot.autoconfigure.metrics.LockMetricsAutoConfiguration;
import io.distributedlock.boot.autoconfigure.redis.RedisLockStoreAutoConfiguration;
import io.distributedlock.boot.autoconfigure.support.FailureAnalyses;
import io.distributedlock.spring.DistributedLock;
import io.distributedlock.store.redis.server.RedisServerProcess;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.data.redis.autoconfigure.DataRedisAutoConfiguration;
import org.springframework.boot.jdbc.autoconfigure.DataSourceAutoConfiguration;
import org.springframework.boot.micrometer.metrics.autoconfigure.CompositeMeterRegistryAutoConfiguration;
import org.springframework.boot.micrometer.metrics.autoconfigure.MetricsAutoConfiguration;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * Tests for an application with two real stores: Redis, and a database.
 */
class SeveralStoresTests {

	private static RedisServerProcess redis;

	private final ApplicationContextRunner undecided = new ApplicationContextRunner()
		.withConfiguration(AutoConfigurations.of(DataRedisAutoConfiguration.class, DataSourceAutoConfiguration.class,
				RedisLockStoreAutoConfiguration.class, JdbcLockStoreAutoConfiguration.class,
				MemoryLockStoreAutoConfiguration.class, DistributedLockAutoConfiguration.class,
				DistributedLockAspectAutoConfiguration.class, MetricsAutoConfiguration.class,
				CompositeMeterRegistryAutoConfiguration.class, LockMetricsAutoConfiguration.class,
				LockHealthContributorAutoConfiguration.class, LocksEndpointAutoConfiguration.class))
		.withBean(SimpleMeterRegistry.class)
		.withBean(Shop.class)
		.withPropertyValues("spring.data.redis.host=127.0.0.1", "spring.data.redis.port=" + redis.port(),
				"spring.datasource.generate-unique-name=true", "spring.jmx.enabled=true",
				"management.endpoints.jmx.exposure.include=locks");

	private final ApplicationContextRunner runner = this.undecided.withPropertyValues("distributed-lock.store=redis");

	@BeforeAll
	static void start() {
		redis = RedisServerProcess.start();
	}

	@AfterAll
	static void stop() {
		redis.close();
	}

	@Test
	void eachLockIsKeptByTheStoreThatItNames() {
		this.runner.withPropertyValues("distributed-lock.locks.configured.store=jdbc").run((context) -> {
			LockInspector inspector = context.getBean(LockInspector.class);
			assertThat(inspector.stores()).containsExactly("redis", "jdbc");
			Shop shop = context.getBean(Shop.class);
			assertThat(shop.byDefault(() -> holders(inspector))).isEqualTo("redis");
			assertThat(shop.annotated(() -> holders(inspector))).isEqualTo("jdbc");
			assertThat(shop.configured(() -> holders(inspector))).isEqualTo("jdbc");
		});
	}

	// Both stores are asked: the one that does not keep the lock must not know it.
	private static String holders(LockInspector inspector) {
		Lease lease = LockContext.current().orElseThrow();
		return inspector.stores()
			.stream()
			.filter((store) -> inspector.find(lease.key(), store)
				.filter((lock) -> lock.state() == StoredLock.State.HELD)
				.isPresent())
			.collect(Collectors.joining(","));
	}

	@Test
	void propertiesOfALockWinOverItsAnnotation() {
		this.runner.withPropertyValues("distributed-lock.locks.annotated.store=redis").run((context) -> {
			LockInspector inspector = context.getBean(LockInspector.class);
			assertThat(context.getBean(Shop.class).annotated(() -> holders(inspector))).isEqualTo("redis");
		});
	}

	@Test
	void locksOfTwoStoresAreTwoLocks() {
		this.runner.run((context) -> {
			LockTemplate locks = context.getBean(LockTemplate.class);
			Lease inRedis = locks.acquire(LockRequest.of("stock", "1"));
			Lease inDatabase = locks.acquire(LockRequest.of("stock", "1").withStore("jdbc"));
			assertThat(context.getBean(LockInspector.class).held()).extracting(HeldLock::store)
				.containsExactlyInAnyOrder("redis", "jdbc");
			inDatabase.close();
			assertThat(inRedis.isHeld()).isTrue();
			inRedis.close();
		});
	}

	@Test
	void metersTellTheStore() {
		this.runner.run((context) -> {
			Shop shop = context.getBean(Shop.class);
			shop.byDefault(() -> "");
			shop.annotated(() -> "");
			MeterRegistry registry = context.getBean(SimpleMeterRegistry.class);
			assertThat(acquired(registry, "plain", "redis")).isOne();
			assertThat(acquired(registry, "annotated", "jdbc")).isOne();
		});
	}

	private static long acquired(MeterRegistry registry, String name, String store) {
		return registry.get("lock.acquire")
			.tags("lock.name", name, "store", store, "outcome", "acquired")
			.timers()
			.stream()
			.mapToLong(Timer::count)
			.sum();
	}

	@Test
	void endpointShowsAndAsksBothStores() {
		this.runner.run((context) -> {
			LocksEndpoint endpoint = context.getBean(LocksEndpoint.class);
			context.getBean(Shop.class).annotated(() -> {
				assertThat(endpoint.locks(null).stores()).containsExactly("redis", "jdbc");
				assertThat(endpoint.locks(null).held()).singleElement()
					.satisfies((held) -> assertThat(held.store()).isEqualTo("jdbc"));
				assertThat(endpoint.lock("annotated", new String[] { "1" }, "jdbc", null).stored()).isNotNull();
				assertThat(endpoint.lock("annotated", new String[] { "1" }, "redis", null).stored()).isNull();
				assertThat(endpoint.lock("annotated", new String[] { "1" }, null, null).store()).isEqualTo("jdbc");
				return "";
			});
		});
	}

	@Test
	void healthTellsTheStore() {
		this.runner.withPropertyValues("distributed-lock.ttl=900ms").run((context) -> {
			LockTemplate locks = context.getBean(LockTemplate.class);
			try (Lease one = locks.acquire(LockRequest.of("stock", "1"));
					Lease other = locks.acquire(LockRequest.of("stock", "1").withStore("jdbc"))) {
				AtomicReference<Object> renewals = new AtomicReference<>();
				Awaitility.await().untilAsserted(() -> {
					renewals.set(context.getBean(LockHealthIndicator.class).health().getDetails().get("renewals"));
					assertThat(renewals.get()).hasToString("{jdbc=answered, redis=answered}");
				});
				assertThat(one.isHeld() && other.isHeld()).isTrue();
			}
		});
	}

	@Test
	void severalStoresWithoutAChoiceAreAnErrorThatListsThem() {
		this.undecided.run((context) -> assertThat(FailureAnalyses.of(context.getStartupFailure()).getAction())
			.contains("Set distributed-lock.store to one of: ")
			.contains("redis")
			.contains("jdbc"));
	}

	@Test
	void aStoreThatIsOutOfReachSaysHowToDoWithout() {
		this.runner.withPropertyValues("spring.data.redis.port=1", "distributed-lock.store=jdbc")
			.run((context) -> assertThat(FailureAnalyses.of(context.getStartupFailure()).getAction())
				.contains("distributed-lock.redis.enabled=false"));
		this.runner
			.withPropertyValues("spring.data.redis.port=1", "distributed-lock.store=jdbc",
					"distributed-lock.redis.enabled=false")
			.run((context) -> assertThat(context.getBean(LockInspector.class).stores()).containsExactly("jdbc"));
	}

	static class Shop {

		@DistributedLock(name = "plain", key = "'1'")
		public String byDefault(Supplier<String> work) {
			return work.get();
		}

		@DistributedLock(name = "annotated", key = "'1'", store = "jdbc")
		public String annotated(Supplier<String> work) {
			return work.get();
		}

		@DistributedLock(name = "configured", key = "'1'")
		public String configured(Supplier<String> work) {
			return work.get();
		}

	}

}
