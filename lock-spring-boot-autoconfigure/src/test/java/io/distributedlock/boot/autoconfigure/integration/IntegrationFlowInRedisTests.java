package io.distributedlock.boot.autoconfigure.integration;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

import io.distributedlock.LockContext;
import io.distributedlock.LockRequest;
import io.distributedlock.LockTemplate;
import io.distributedlock.boot.autoconfigure.DistributedLockAutoConfiguration;
import io.distributedlock.boot.autoconfigure.redis.RedisLockStoreAutoConfiguration;
import io.distributedlock.spring.integration.DistributedLockRegistry;
import io.distributedlock.store.redis.server.RedisServerProcess;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.data.redis.autoconfigure.DataRedisAutoConfiguration;
import org.springframework.boot.test.context.FilteredClassLoader;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.integration.config.EnableIntegration;
import org.springframework.integration.dsl.IntegrationFlow;
import org.springframework.integration.handler.advice.LockRequestHandlerAdvice;
import org.springframework.integration.support.locks.DefaultLockRegistry;
import org.springframework.integration.support.locks.DistributedLock;
import org.springframework.integration.support.locks.LockRegistry;
import org.springframework.messaging.Message;
import org.springframework.messaging.MessageChannel;
import org.springframework.messaging.support.GenericMessage;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

/**
 * Spring Integration over a real Redis, with two applications as two instances.
 */
class IntegrationFlowInRedisTests {

	private static RedisServerProcess redis;

	private final ExecutorService threads = Executors.newCachedThreadPool();

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
			.withConfiguration(
					AutoConfigurations.of(DataRedisAutoConfiguration.class, RedisLockStoreAutoConfiguration.class,
							DistributedLockAutoConfiguration.class, IntegrationLockAutoConfiguration.class))
			.withPropertyValues("spring.data.redis.host=127.0.0.1", "spring.data.redis.port=" + redis.port());
	}

	@Test
	void registryBacksOffWhereThereIsAnotherOneOrNoIntegrationOrItIsSwitchedOff() {
		runner().run((context) -> assertThat(context).hasSingleBean(DistributedLockRegistry.class));
		runner().withBean(DefaultLockRegistry.class)
			.run((context) -> assertThat(context).hasSingleBean(LockRegistry.class)
				.doesNotHaveBean(DistributedLockRegistry.class));
		runner().withPropertyValues("distributed-lock.integration.enabled=false")
			.run((context) -> assertThat(context).doesNotHaveBean(LockRegistry.class));
		runner().withPropertyValues("distributed-lock.enabled=false")
			.run((context) -> assertThat(context).hasNotFailed().doesNotHaveBean(LockRegistry.class));
		runner().withClassLoader(new FilteredClassLoader(LockRegistry.class))
			.run((context) -> assertThat(context).hasNotFailed().doesNotHaveBean("distributedLockRegistry"));
	}

	@Test
	void handlersOfTwoInstancesNeverRunAtTheSameTimeForOneKey() {
		ApplicationContextRunner flows = runner().withUserConfiguration(Flow.class);
		flows.run((first) -> flows.run((second) -> {
			List<Future<Boolean>> sent = new ArrayList<>();
			for (int i = 0; i < 40; i++) {
				MessageChannel channel = ((i % 2 == 0) ? first : second).getBean("orders.input", MessageChannel.class);
				Message<String> order = new GenericMessage<>("42");
				sent.add(this.threads.submit(() -> channel.send(order)));
			}
			for (Future<Boolean> each : sent) {
				assertThat(each.get(30, TimeUnit.SECONDS)).isTrue();
			}
			assertThat(Flow.handled).isEqualTo(40);
			assertThat(Flow.overlaps).hasValue(0);
		}));
	}

	@Test
	void locksOfTheRegistryAreThoseOfTheTemplate() {
		runner().withPropertyValues("distributed-lock.integration.name=flows").run((context) -> {
			LockRegistry<?> registry = context.getBean(LockRegistry.class);
			LockTemplate locks = context.getBean(LockTemplate.class);
			registry.executeLocked("42", () -> assertThat(LockContext.current("flows").orElseThrow().key())
				.isEqualTo(LockRequest.of("flows", "42").key()));
			assertThat(locks.tryAcquire(LockRequest.of("flows", "42").withWaitTime(Duration.ZERO))).isPresent();
			assertThat(this.threads.submit(() -> registry.obtain("42").tryLock()).get()).isFalse();
			registry.obtain("42").unlock();
			assertThatIllegalArgumentException().isThrownBy(() -> registry.obtain(new Object()))
				.withMessageContaining("whose text may differ");
		});
	}

	@Test
	void lockTakesItsOwnTtlAndIsRenewedOnRequest() {
		runner().run((context) -> {
			DistributedLockRegistry registry = context.getBean(DistributedLockRegistry.class);
			DistributedLock lock = registry.obtain("7");
			lock.lock(Duration.ofSeconds(5));
			assertThat(LockContext.current().orElseThrow().remaining()).isLessThanOrEqualTo(Duration.ofSeconds(5));
			registry.renewLock("7", Duration.ofSeconds(60));
			assertThat(LockContext.current().orElseThrow().remaining()).isGreaterThan(Duration.ofSeconds(50));
			registry.renewLock("7");
			lock.unlock();
			assertThatIllegalStateException().isThrownBy(() -> registry.renewLock("7"))
				.withMessageContaining("does not hold it");
			assertThat(lock.tryLock(Duration.ofSeconds(10), Duration.ofSeconds(5))).isTrue();
			lock.unlock();
			assertThatExceptionOfType(IllegalMonitorStateException.class).isThrownBy(lock::unlock);
		});
	}

	@Configuration(proxyBeanMethods = false)
	@EnableIntegration
	static class Flow {

		static final AtomicInteger running = new AtomicInteger();

		static final AtomicInteger overlaps = new AtomicInteger();

		// Not atomic on purpose: the lock has to keep the count right.
		static volatile int handled;

		@Bean
		IntegrationFlow orders(LockRegistry<?> registry) {
			LockRequestHandlerAdvice locked = new LockRequestHandlerAdvice(registry, Message::getPayload);
			locked.setWaitLockDuration(Duration.ofSeconds(20));
			return (flow) -> flow.handle((message) -> {
				if (running.incrementAndGet() > 1) {
					overlaps.incrementAndGet();
				}
				int before = handled;
				Thread.yield();
				handled = before + 1;
				running.decrementAndGet();
			}, (endpoint) -> endpoint.advice(locked));
		}

	}

}
