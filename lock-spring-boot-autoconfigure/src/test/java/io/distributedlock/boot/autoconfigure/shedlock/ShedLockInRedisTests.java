package io.distributedlock.boot.autoconfigure.shedlock;

import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

import io.distributedlock.LockTemplate;
import io.distributedlock.boot.autoconfigure.DistributedLockAutoConfiguration;
import io.distributedlock.boot.autoconfigure.redis.RedisLockStoreAutoConfiguration;
import io.distributedlock.spring.shedlock.DistributedLockProvider;
import io.distributedlock.store.redis.server.RedisServerProcess;
import net.javacrumbs.shedlock.core.LockConfiguration;
import net.javacrumbs.shedlock.core.LockExtender;
import net.javacrumbs.shedlock.core.LockProvider;
import net.javacrumbs.shedlock.core.SimpleLock;
import net.javacrumbs.shedlock.spring.annotation.EnableSchedulerLock;
import net.javacrumbs.shedlock.spring.annotation.SchedulerLock;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.autoconfigure.aop.AopAutoConfiguration;
import org.springframework.boot.data.redis.autoconfigure.DataRedisAutoConfiguration;
import org.springframework.boot.test.context.FilteredClassLoader;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.context.annotation.Configuration;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.awaitility.Awaitility.await;

/**
 * ShedLock over a real Redis, with two applications as two instances.
 */
class ShedLockInRedisTests {

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
			.withConfiguration(AutoConfigurations.of(AopAutoConfiguration.class, DataRedisAutoConfiguration.class,
					RedisLockStoreAutoConfiguration.class, DistributedLockAutoConfiguration.class,
					ShedLockAutoConfiguration.class))
			.withPropertyValues("spring.data.redis.host=127.0.0.1", "spring.data.redis.port=" + redis.port());
	}

	private static LockConfiguration job(String name, Duration atMost, Duration atLeast) {
		return new LockConfiguration(Instant.now(), name, atMost, atLeast);
	}

	@Test
	void providerBacksOffWhereThereIsAnotherOneOrNoShedLockOrItIsSwitchedOff() {
		runner().run((context) -> assertThat(context).hasSingleBean(LockProvider.class)
			.hasSingleBean(DistributedLockProvider.class));
		runner().withBean("mine", LockProvider.class, () -> (configuration) -> Optional.empty())
			.run((context) -> assertThat(context).hasSingleBean(LockProvider.class)
				.doesNotHaveBean(DistributedLockProvider.class));
		runner().withPropertyValues("distributed-lock.shedlock.enabled=false")
			.run((context) -> assertThat(context).doesNotHaveBean(LockProvider.class));
		runner().withPropertyValues("distributed-lock.enabled=false")
			.run((context) -> assertThat(context).hasNotFailed().doesNotHaveBean(LockProvider.class));
		runner().withClassLoader(new FilteredClassLoader(LockProvider.class))
			.run((context) -> assertThat(context).hasNotFailed().doesNotHaveBean("distributedLockProvider"));
	}

	@Test
	void aJobRunsOnceThoughTwoInstancesStartItAtTheSameTime() {
		ApplicationContextRunner scheduled = runner().withUserConfiguration(Scheduling.class).withBean(Job.class);
		scheduled.run((first) -> scheduled.run((second) -> {
			CountDownLatch start = new CountDownLatch(1);
			Job one = first.getBean(Job.class);
			Job two = second.getBean(Job.class);
			Future<?> a = this.threads.submit(() -> one.runAfter(start));
			Future<?> b = this.threads.submit(() -> two.runAfter(start));
			start.countDown();
			a.get(20, TimeUnit.SECONDS);
			b.get(20, TimeUnit.SECONDS);
			one.run();
			two.run();
			assertThat(Job.runs).hasValue(1);
		}));
	}

	@Test
	void lockAtLeastForIsHonouredAfterTheWorkAndNameBecomesTheKey() {
		runner().withPropertyValues("distributed-lock.shedlock.name=jobs").run((context) -> {
			LockProvider provider = context.getBean(LockProvider.class);
			LockConfiguration job = job("short", Duration.ofSeconds(30), Duration.ofSeconds(2));
			long start = System.nanoTime();
			provider.lock(job).orElseThrow().unlock();
			assertThat(provider.lock(job)).isEmpty();
			assertThat(context.getBean(LockTemplate.class)
				.tryAcquire(io.distributedlock.LockRequest.of("jobs", "short").withWaitTime(Duration.ZERO))).isEmpty();
			await().atMost(Duration.ofSeconds(10)).until(() -> provider.lock(job).isPresent());
			assertThat(Duration.ofNanos(System.nanoTime() - start)).isGreaterThan(Duration.ofMillis(1900));
		});
	}

	@Test
	void lockEndsWithLockAtMostForThoughTheWorkGoesOn() {
		runner().run((context) -> {
			LockProvider provider = context.getBean(LockProvider.class);
			LockConfiguration job = job("long", Duration.ofSeconds(2), Duration.ZERO);
			SimpleLock first = provider.lock(job).orElseThrow();
			assertThat(provider.lock(job)).isEmpty();
			await().atMost(Duration.ofSeconds(10)).until(() -> provider.lock(job).isPresent());
			first.unlock();
			assertThat(provider.lock(job)).isEmpty();
		});
	}

	@Test
	void extensionSetsNewLimitsAndAnExpiredLockCannotBeExtended() {
		runner().run((context) -> {
			LockProvider provider = context.getBean(LockProvider.class);
			LockConfiguration job = job("extended", Duration.ofMillis(900), Duration.ZERO);
			long start = System.nanoTime();
			SimpleLock extended = provider.lock(job)
				.orElseThrow()
				.extend(Duration.ofSeconds(30), Duration.ofMillis(2500))
				.orElseThrow();
			await().until(() -> System.nanoTime() - start > 1_300_000_000L);
			assertThat(provider.lock(job)).isEmpty();
			extended.unlock();
			assertThat(provider.lock(job)).isEmpty();
			await().atMost(Duration.ofSeconds(10)).until(() -> provider.lock(job).isPresent());
			assertThat(Duration.ofNanos(System.nanoTime() - start)).isGreaterThan(Duration.ofMillis(2400));
			SimpleLock expired = provider.lock(job("expired", Duration.ofMillis(500), Duration.ZERO)).orElseThrow();
			long taken = System.nanoTime();
			await().until(() -> System.nanoTime() - taken > 700_000_000L);
			assertThat(expired.extend(Duration.ofSeconds(30), Duration.ZERO)).isEmpty();
			assertThat(provider.lock(job("expired", Duration.ofSeconds(30), Duration.ZERO))).isPresent();
		});
	}

	@Test
	void lockExtenderWorksWithinAJob() {
		runner().withUserConfiguration(Scheduling.class).withBean(Job.class).run((context) -> {
			context.getBean(Job.class).extending();
			assertThatExceptionOfType(LockExtender.NoActiveLockException.class)
				.isThrownBy(() -> LockExtender.extendActiveLock(Duration.ofSeconds(1), Duration.ZERO));
		});
	}

	@Configuration(proxyBeanMethods = false)
	@EnableSchedulerLock(defaultLockAtMostFor = "30s")
	static class Scheduling {

	}

	static class Job {

		static final AtomicInteger runs = new AtomicInteger();

		@SchedulerLock(name = "report", lockAtLeastFor = "20s")
		public void runAfter(CountDownLatch start) {
			runs.incrementAndGet();
		}

		@SchedulerLock(name = "report", lockAtLeastFor = "20s")
		public void run() {
			runs.incrementAndGet();
		}

		@SchedulerLock(name = "extending", lockAtMostFor = "1s")
		public void extending() {
			LockExtender.extendActiveLock(Duration.ofSeconds(30), Duration.ZERO);
		}

	}

}
