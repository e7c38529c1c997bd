package io.distributedlock.boot.autoconfigure.redis;

import java.time.Duration;
import java.util.concurrent.atomic.AtomicInteger;

import io.distributedlock.Lease;
import io.distributedlock.LockInspector;
import io.distributedlock.LockLostException;
import io.distributedlock.LockRequest;
import io.distributedlock.LockStoreException;
import io.distributedlock.LockTemplate;
import io.distributedlock.boot.autoconfigure.DistributedLockAspectAutoConfiguration;
import io.distributedlock.boot.autoconfigure.DistributedLockAutoConfiguration;
import io.distributedlock.boot.autoconfigure.memory.MemoryLockStoreAutoConfiguration;
import io.distributedlock.boot.autoconfigure.support.FailureAnalyses;
import io.distributedlock.spring.DistributedLock;
import io.distributedlock.store.redis.RedisLockStore;
import io.distributedlock.store.redis.server.RedisServerProcess;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.data.redis.autoconfigure.DataRedisAutoConfiguration;
import org.springframework.boot.diagnostics.FailureAnalysis;
import org.springframework.boot.test.context.FilteredClassLoader;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.boot.test.system.CapturedOutput;
import org.springframework.boot.test.system.OutputCaptureExtension;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.core.NestedExceptionUtils;
import org.springframework.data.redis.connection.RedisConnectionFactory;
import org.springframework.data.redis.connection.lettuce.LettuceConnectionFactory;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

/**
 * Tests for {@link RedisLockStoreAutoConfiguration}, with a real Redis.
 */
@ExtendWith(OutputCaptureExtension.class)
class RedisLockStoreAutoConfigurationTests {

	private static RedisServerProcess redis;

	private static int nowhere;

	private final ApplicationContextRunner bare = new ApplicationContextRunner()
		.withConfiguration(AutoConfigurations.of(DataRedisAutoConfiguration.class,
				RedisLockStoreAutoConfiguration.class, MemoryLockStoreAutoConfiguration.class,
				DistributedLockAutoConfiguration.class, DistributedLockAspectAutoConfiguration.class));

	private final ApplicationContextRunner runner = this.bare.withPropertyValues("spring.data.redis.host=127.0.0.1",
			"spring.data.redis.port=" + redis.port());

	@BeforeAll
	static void start() {
		redis = RedisServerProcess.start();
		nowhere = RedisServerProcess.freePort();
	}

	@AfterAll
	static void stop() {
		redis.close();
	}

	@BeforeEach
	void forget() {
		redis.command("FLUSHALL");
	}

	@Test
	void annotatedMethodHoldsItsLockInRedis() {
		this.runner.withBean(Shop.class).run((context) -> {
			AtomicInteger held = new AtomicInteger();
			context.getBean(Shop.class).buy("42", () -> held.set(holds("stock:42")));
			assertThat(held).hasValue(1);
			assertThat(holds("stock:42")).isZero();
		});
	}

	private static int holds(String id) {
		return redis.command("KEYS", "lock:*" + id).contains(id) ? 1 : 0;
	}

	@Test
	void lockDeletedBehindItsBackIsLost() {
		this.runner.withBean(Shop.class)
			.withPropertyValues("distributed-lock.locks.stock.ttl=600ms")
			.run((context) -> assertThatExceptionOfType(LockLostException.class)
				.isThrownBy(() -> context.getBean(Shop.class).buy("42", () -> redis.command("FLUSHALL"))));
	}

	@Test
	void prefixIsUsed() {
		this.runner.withPropertyValues("distributed-lock.redis.prefix=acme:").run((context) -> {
			Lease lease = context.getBean(LockTemplate.class).acquire(LockRequest.of("stock", "1"));
			assertThat(redis.command("KEYS", "acme:*stock:1")).contains("stock:1");
			assertThat(redis.command("KEYS", "lock:*")).doesNotContain("stock:1");
			lease.close();
		});
	}

	@Test
	void instancesAreToldApart() {
		this.runner.withPropertyValues("distributed-lock.instance-id=shop").run((context) -> {
			Lease lease = context.getBean(LockTemplate.class).acquire(LockRequest.of("stock", "1"));
			assertThat(context.getBean(LockInspector.class).find(lease.key(), null).orElseThrow().instance())
				.startsWith("shop-");
			lease.close();
		});
	}

	@ParameterizedTest
	@ValueSource(strings = { "1", "all" })
	void aLockThatTooFewReplicasHaveCannotBeTaken(String replicas) {
		this.runner
			.withPropertyValues("distributed-lock.redis.wait-replicas=" + replicas,
					"distributed-lock.redis.replica-timeout=50ms")
			.run((context) -> {
				LockTemplate locks = context.getBean(LockTemplate.class);
				assertThatExceptionOfType(LockStoreException.class)
					.isThrownBy(() -> locks.acquire(LockRequest.of("stock", "1").withWaitTime(Duration.ZERO)));
			});
	}

	@Test
	void unusableReplicaSettingsAreErrorsThatNameTheProperty() {
		this.runner.withPropertyValues("distributed-lock.redis.wait-replicas=some")
			.run((context) -> assertThat(
					NestedExceptionUtils.getMostSpecificCause(context.getStartupFailure()).getMessage())
				.isEqualTo(
						"distributed-lock.redis.wait-replicas is 'some'. Use 0 for none, a number of replicas, or all."));
		this.runner
			.withPropertyValues("distributed-lock.redis.wait-replicas=1", "distributed-lock.redis.replica-timeout=2s")
			.run((context) -> assertThat(FailureAnalyses.of(context.getStartupFailure()).getDescription())
				.contains("replica-timeout"));
	}

	@Test
	void storeBacksOff() {
		this.runner
			.withBean("mine", RedisLockStore.class,
					() -> RedisLockStore.builder(factory(redis.port())).name("mine").build())
			.run((context) -> assertThat(context.getBean(LockInspector.class).stores()).containsExactly("mine"));
	}

	@Test
	void storeIsAbsentWithoutRedisOnTheClasspath() {
		this.bare.withPropertyValues("distributed-lock.enabled=false")
			.withClassLoader(new FilteredClassLoader(RedisLockStore.class))
			.run((context) -> assertThat(context).doesNotHaveBean("redisLockStore"));
		this.bare.withPropertyValues("distributed-lock.enabled=false")
			.withClassLoader(new FilteredClassLoader("org.springframework.data.redis"))
			.run((context) -> assertThat(context).doesNotHaveBean("redisLockStore"));
	}

	@Test
	void storeCanBeSwitchedOff() {
		this.bare.withPropertyValues("distributed-lock.enabled=false", "distributed-lock.redis.enabled=false")
			.run((context) -> assertThat(context).doesNotHaveBean("redisLockStore"));
	}

	@Test
	void memoryStoreInsteadNeedsNoRedis() {
		unreachable().withPropertyValues("distributed-lock.store=memory")
			.run((context) -> assertThat(context).hasNotFailed().doesNotHaveBean("redisLockStore"));
	}

	@Test
	void redisBesideTheMemoryStoreIsUsedIfEnabled() {
		this.runner.withPropertyValues("distributed-lock.store=memory", "distributed-lock.redis.enabled=true")
			.run((context) -> assertThat(context.getBean(LockInspector.class).stores()).containsExactly("memory",
					"redis"));
	}

	@Test
	void redlockNodesKeepTheSingleRedisOutUnlessItIsTheDefault() {
		String nodes = "distributed-lock.redlock.nodes=a,b,c";
		this.bare.withPropertyValues("distributed-lock.enabled=false", nodes)
			.run((context) -> assertThat(context).doesNotHaveBean("redisLockStore"));
		this.bare.withPropertyValues("distributed-lock.enabled=false", nodes, "distributed-lock.store=redis")
			.run((context) -> assertThat(context.getBeanFactory().containsBeanDefinition("redisLockStore")).isTrue());
		this.bare.withPropertyValues("distributed-lock.enabled=false", nodes, "distributed-lock.redis.enabled=true")
			.run((context) -> assertThat(context.getBeanFactory().containsBeanDefinition("redisLockStore")).isTrue());
	}

	@Test
	void switchedOffLocksNeedNoRedis() {
		unreachable().withPropertyValues("distributed-lock.enabled=false")
			.withBean(Shop.class)
			.run((context) -> assertThat(context).hasNotFailed());
	}

	@Test
	void unreachableRedisIsAnErrorAtStartUpThatNamesTheServer() {
		unreachable().run((context) -> {
			assertThat(context).hasFailed();
			FailureAnalysis analysis = FailureAnalyses.of(context.getStartupFailure());
			assertThat(analysis.getDescription()).contains("127.0.0.1:" + nowhere);
			assertThat(analysis.getAction()).contains("spring.data.redis.host")
				.contains("distributed-lock.redis.enabled=false")
				.contains("distributed-lock.store=memory")
				.contains("Code that uses LockTemplate needs a store all the same");
		});
	}

	@Test
	void refusedPasswordIsAnErrorAtStartUp() {
		try (RedisServerProcess guarded = RedisServerProcess.start("--requirepass", "secret")) {
			this.bare
				.withPropertyValues("spring.data.redis.host=127.0.0.1", "spring.data.redis.port=" + guarded.port(),
						"spring.data.redis.password=wrong")
				.run((context) -> {
					assertThat(context).hasFailed();
					assertThat(NestedExceptionUtils.getMostSpecificCause(context.getStartupFailure()).toString()
							+ FailureAnalyses.of(context.getStartupFailure()).getDescription())
						.contains("WRONGPASS");
				});
		}
	}

	@Test
	void adviceOfTheStoreIsLogged(CapturedOutput output) {
		redis.command("CONFIG", "SET", "maxmemory", "100mb");
		redis.command("CONFIG", "SET", "maxmemory-policy", "allkeys-lru");
		try {
			this.runner.run((context) -> assertThat(context).hasNotFailed());
		}
		finally {
			redis.command("CONFIG", "SET", "maxmemory-policy", "noeviction");
			redis.command("CONFIG", "SET", "maxmemory", "0");
		}
		assertThat(output).contains("Redis lock store: ").contains("allkeys-lru");
	}

	@Test
	void markedConnectionFactoryIsUsed() {
		this.bare.withUserConfiguration(TwoFactories.class, Marked.class).run((context) -> {
			Lease lease = context.getBean(LockTemplate.class).acquire(LockRequest.of("stock", "1"));
			assertThat(holds("stock:1")).isOne();
			lease.close();
		});
	}

	@Test
	void severalConnectionFactoriesWithoutChoiceAreAnError() {
		this.bare.withUserConfiguration(TwoFactories.class, Unmarked.class)
			.run((context) -> assertThat(FailureAnalyses.of(context.getStartupFailure()).getAction())
				.contains("@LockRedisConnectionFactory"));
	}

	private ApplicationContextRunner unreachable() {
		return this.bare.withPropertyValues("spring.data.redis.host=127.0.0.1", "spring.data.redis.port=" + nowhere);
	}

	private static LettuceConnectionFactory factory(int port) {
		LettuceConnectionFactory factory = new LettuceConnectionFactory("127.0.0.1", port);
		factory.afterPropertiesSet();
		return factory;
	}

	@Configuration(proxyBeanMethods = false)
	static class TwoFactories {

		@Bean
		RedisConnectionFactory first() {
			return factory(nowhere);
		}

	}

	@Configuration(proxyBeanMethods = false)
	static class Marked {

		@Bean
		@LockRedisConnectionFactory
		RedisConnectionFactory second() {
			return factory(redis.port());
		}

	}

	@Configuration(proxyBeanMethods = false)
	static class Unmarked {

		@Bean
		RedisConnectionFactory second() {
			return factory(redis.port());
		}

	}

	static class Shop {

		@DistributedLock(name = "stock", key = "#productId")
		public void buy(String productId, Runnable work) {
			work.run();
		}

	}

}
