package io.distributedlock.boot.autoconfigure.redis;

import java.lang.management.ManagementFactory;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;

import io.distributedlock.Lease;
import io.distributedlock.LockInspector;
import io.distributedlock.LockRequest;
import io.distributedlock.LockTemplate;
import io.distributedlock.boot.autoconfigure.DistributedLockAspectAutoConfiguration;
import io.distributedlock.boot.autoconfigure.DistributedLockAutoConfiguration;
import io.distributedlock.boot.autoconfigure.memory.MemoryLockStoreAutoConfiguration;
import io.distributedlock.spring.DistributedLock;
import io.distributedlock.store.redis.server.RedisServerProcess;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import reactor.core.publisher.Mono;

import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.autoconfigure.aop.AopAutoConfiguration;
import org.springframework.boot.data.redis.autoconfigure.DataRedisAutoConfiguration;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.context.ApplicationContext;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

/**
 * Ten thousand asynchronous calls that want one key at the same time: none overlap, those
 * that are cancelled leave nothing behind, and no thread waits.
 */
class OverlappingCallsTests {

	private static final Logger logger = LoggerFactory.getLogger(OverlappingCallsTests.class);

	private static final int CALLS = 10_000;

	/** More than all pools together may have: engine, methods, Reactor, coroutines. */
	private static final int THREADS = 150;

	private static RedisServerProcess redis;

	@BeforeAll
	static void start() {
		redis = RedisServerProcess.start();
	}

	@AfterAll
	static void stop() {
		redis.close();
	}

	@ParameterizedTest
	@CsvSource({ "memory, future", "memory, mono", "memory, suspend", "redis, future", "redis, mono",
			"redis, suspend" })
	void callsOnOneKeyDoNotOverlapAndNoThreadWaits(String store, String kind) {
		new ApplicationContextRunner()
			.withConfiguration(AutoConfigurations.of(AopAutoConfiguration.class, DataRedisAutoConfiguration.class,
					MemoryLockStoreAutoConfiguration.class, RedisLockStoreAutoConfiguration.class,
					DistributedLockAutoConfiguration.class, DistributedLockAspectAutoConfiguration.class))
			.withPropertyValues("spring.data.redis.host=127.0.0.1", "spring.data.redis.port=" + redis.port(),
					"distributed-lock.store=" + store)
			.withBean(Shop.class)
			.withBean(SuspendingShop.class)
			.run((context) -> overlap(context, store, kind));
	}

	private static void overlap(ApplicationContext context, String store, String kind) throws Exception {
		LockInspector inspector = context.getBean(LockInspector.class);
		Section section = new Section();
		int threadsBefore = threads();
		long start = System.nanoTime();
		List<CompletableFuture<String>> calls = new ArrayList<>();
		try (Lease first = context.getBean(LockTemplate.class).acquire(LockRequest.of("stock", kind))) {
			assertThat(first.isHeld()).isTrue();
			for (int i = 0; i < CALLS; i++) {
				int number = i;
				calls.add(call(context, kind, () -> section.work(number)));
			}
			await().atMost(Duration.ofSeconds(60)).until(() -> waiters(inspector) == CALLS);
			assertThat(threads() - threadsBefore).isLessThan(THREADS);
			for (int i = 0; i < CALLS; i += 10) {
				calls.get(i).cancel(true);
			}
			await().atMost(Duration.ofSeconds(60)).until(() -> waiters(inspector) == CALLS * 9 / 10);
			assertThat(section.begun).hasValue(0);
		}
		long waited = System.nanoTime();
		for (int i = 7; i < CALLS; i += 100) {
			// Its work never ends, and this one may be cancelled only when it has begun.
			Integer stuck = section.stuck.poll(60, TimeUnit.SECONDS);
			assertThat(stuck).isNotNull();
			calls.get(stuck).cancel(true);
		}
		for (int i = 0; i < CALLS; i++) {
			if (i % 10 != 0 && i % 100 != 7) {
				assertThat(calls.get(i).get(60, TimeUnit.SECONDS)).isEqualTo("sold");
			}
		}
		long end = System.nanoTime();
		await().until(() -> inspector.held().isEmpty() && waiters(inspector) == 0);
		assertThat(section.overlaps).hasValue(0);
		assertThat(section.begun).hasValue(CALLS * 9 / 10);
		int threadsAfter = threads();
		assertThat(threadsAfter - threadsBefore).isLessThan(THREADS);
		logger.info(
				"{} on {}: {} calls wait after {} ms, {} of them have run one by one after {} ms more; {} threads"
						+ " before, {} after",
				kind, store, CALLS, millis(waited - start), CALLS * 9 / 10, millis(end - waited), threadsBefore,
				threadsAfter);
	}

	private static CompletableFuture<String> call(ApplicationContext context, String kind,
			Supplier<CompletableFuture<String>> work) {
		return switch (kind) {
			case "future" -> context.getBean(Shop.class).future(kind, work);
			case "mono" -> context.getBean(Shop.class).mono(kind, work).toFuture();
			default -> SuspendingShop.call(context.getBean(SuspendingShop.class), kind, work);
		};
	}

	private static int waiters(LockInspector inspector) {
		return inspector.waiting().stream().mapToInt((waited) -> waited.waiters()).sum();
	}

	private static int threads() {
		return ManagementFactory.getThreadMXBean().getThreadCount();
	}

	private static long millis(long nanos) {
		return TimeUnit.NANOSECONDS.toMillis(nanos);
	}

	/**
	 * Work that notices overlap, and goes on after the method has returned.
	 */
	static final class Section {

		private final AtomicInteger inside = new AtomicInteger();

		final AtomicInteger begun = new AtomicInteger();

		final AtomicInteger overlaps = new AtomicInteger();

		final LinkedBlockingQueue<Integer> stuck = new LinkedBlockingQueue<>();

		CompletableFuture<String> work(int number) {
			this.begun.incrementAndGet();
			if (this.inside.incrementAndGet() > 1) {
				this.overlaps.incrementAndGet();
			}
			CompletableFuture<String> sale = new CompletableFuture<>() {
				@Override
				public boolean cancel(boolean mayInterruptIfRunning) {
					if (!isDone()) {
						leave();
					}
					return super.cancel(mayInterruptIfRunning);
				}
			};
			if (number % 100 == 7) {
				this.stuck.add(number);
			}
			else {
				CompletableFuture.delayedExecutor(10, TimeUnit.MICROSECONDS, Runnable::run).execute(() -> {
					leave();
					sale.complete("sold");
				});
			}
			return sale;
		}

		private void leave() {
			this.inside.decrementAndGet();
		}

	}

	static class Shop {

		@DistributedLock(name = "stock", key = "#productId", waitTime = "100s")
		public CompletableFuture<String> future(String productId, Supplier<CompletableFuture<String>> work) {
			return work.get();
		}

		@DistributedLock(name = "stock", key = "#productId", waitTime = "100s")
		public Mono<String> mono(String productId, Supplier<CompletableFuture<String>> work) {
			return Mono.fromFuture(work.get());
		}

	}

}
