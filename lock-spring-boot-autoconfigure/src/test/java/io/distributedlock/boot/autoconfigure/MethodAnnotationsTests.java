package io.distributedlock.boot.autoconfigure;

import java.time.Duration;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;

import io.distributedlock.Lease;
import io.distributedlock.LockContext;
import io.distributedlock.LockInspector;
import io.distributedlock.LockLostException;
import io.distributedlock.LockRequest;
import io.distributedlock.LockTemplate;
import io.distributedlock.boot.autoconfigure.memory.MemoryLockStoreAutoConfiguration;
import io.distributedlock.spring.DistributedLock;
import io.distributedlock.spring.OnFailure;
import org.junit.jupiter.api.Test;
import reactor.core.publisher.Mono;

import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.autoconfigure.aop.AopAutoConfiguration;
import org.springframework.boot.autoconfigure.task.TaskExecutionAutoConfiguration;
import org.springframework.boot.jdbc.autoconfigure.DataSourceAutoConfiguration;
import org.springframework.boot.jdbc.autoconfigure.DataSourceTransactionManagerAutoConfiguration;
import org.springframework.boot.jdbc.autoconfigure.JdbcTemplateAutoConfiguration;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.boot.transaction.autoconfigure.TransactionAutoConfiguration;
import org.springframework.boot.transaction.autoconfigure.TransactionManagerCustomizationAutoConfiguration;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.event.EventListener;
import org.springframework.core.task.TaskDecorator;
import org.springframework.jdbc.core.JdbcTemplate;
import org.springframework.resilience.annotation.EnableResilientMethods;
import org.springframework.resilience.annotation.Retryable;
import org.springframework.scheduling.annotation.Async;
import org.springframework.scheduling.annotation.EnableAsync;
import org.springframework.scheduling.annotation.EnableScheduling;
import org.springframework.scheduling.annotation.Scheduled;
import org.springframework.transaction.IllegalTransactionStateException;
import org.springframework.transaction.annotation.Transactional;
import org.springframework.transaction.support.TransactionTemplate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.awaitility.Awaitility.await;

/**
 * Locked methods, above all asynchronous ones, that have other annotations as well, with
 * the real engine.
 */
class MethodAnnotationsTests {

	private static final Duration PATIENCE = Duration.ofSeconds(10);

	private final ApplicationContextRunner runner = new ApplicationContextRunner()
		.withConfiguration(AutoConfigurations.of(AopAutoConfiguration.class, TaskExecutionAutoConfiguration.class,
				DataSourceAutoConfiguration.class, JdbcTemplateAutoConfiguration.class,
				DataSourceTransactionManagerAutoConfiguration.class,
				TransactionManagerCustomizationAutoConfiguration.class, TransactionAutoConfiguration.class,
				MemoryLockStoreAutoConfiguration.class, DistributedLockAutoConfiguration.class,
				DistributedLockAspectAutoConfiguration.class, DistributedLockTransactionAutoConfiguration.class))
		.withPropertyValues("distributed-lock.store=memory", "spring.datasource.url=jdbc:h2:mem:" + UUID.randomUUID())
		.withUserConfiguration(Everything.class)
		.withBean(Shop.class);

	@Test
	void asyncMethodWithAFutureDoesNotStarveTheOneThatHasTheLock() {
		this.runner.run((context) -> {
			Shop shop = context.getBean(Shop.class);
			List<CompletableFuture<String>> calls = IntStream.range(0, 100).mapToObj((i) -> shop.async()).toList();
			for (CompletableFuture<String> call : calls) {
				assertThat(call).succeedsWithin(PATIENCE).isEqualTo("async");
			}
			assertThat(shop.overlaps()).hasValue(0);
		});
	}

	@Test
	void applicationKeepsItsOwnExecutor() {
		this.runner.run((context) -> assertThat(context.getBeanNamesForType(Executor.class))
			.containsExactly("applicationTaskExecutor"));
	}

	@Test
	void taskDecoratorTakesAContextAlong() {
		ThreadLocal<String> user = new ThreadLocal<>();
		TaskDecorator decorator = (task) -> {
			String captured = user.get();
			return () -> {
				user.set(captured);
				task.run();
			};
		};
		List<String> decorated = new CopyOnWriteArrayList<>();
		this.runner.withBean(TaskDecorator.class, () -> (task) -> {
			decorated.add("task");
			return decorator.decorate(task);
		}).run((context) -> {
			assertThat(context.getBean(Shop.class).async()).succeedsWithin(PATIENCE);
			assertThat(decorated).isNotEmpty();
		});
	}

	@Test
	void scheduledJobRunsOnceAndIsSkippedWhileItsLockIsTaken() {
		this.runner.withUserConfiguration(Scheduling.class).withBean(Job.class).run((context) -> {
			LockInspector inspector = context.getBean(LockInspector.class);
			await().until(() -> inspector.statistics()
				.stream()
				.anyMatch((statistics) -> statistics.name().equals("job") && statistics.refused() >= 5));
			assertThat(context.getBean(Job.class).runs()).isEqualTo(1);
		});
	}

	@Test
	void ownTransactionOfAMethodWithAFutureCommitsBeforeTheLockIsReleased() {
		this.runner.run((context) -> {
			Shop shop = context.getBean(Shop.class);
			JdbcTemplate jdbc = table(context.getBean(JdbcTemplate.class));
			assertThat(shop.transactional(false)).succeedsWithin(PATIENCE).isEqualTo("stored");
			assertThat(jdbc.queryForObject("select count(*) from sale", Integer.class)).isEqualTo(1);
		});
	}

	@Test
	void ownTransactionOfAMethodWithAFutureDoesNotCommitWithoutTheLock() {
		this.runner.run((context) -> {
			Shop shop = context.getBean(Shop.class);
			JdbcTemplate jdbc = table(context.getBean(JdbcTemplate.class));
			assertThat(shop.transactional(true)).failsWithin(PATIENCE)
				.withThrowableThat()
				.withCauseInstanceOf(LockLostException.class);
			assertThat(jdbc.queryForObject("select count(*) from sale", Integer.class)).isZero();
		});
	}

	@Test
	void methodWithAFutureTakesNoPartInTheTransactionOfItsCaller() {
		this.runner.run((context) -> {
			Shop shop = context.getBean(Shop.class);
			JdbcTemplate jdbc = table(context.getBean(JdbcTemplate.class));
			context.getBean(TransactionTemplate.class).executeWithoutResult((status) -> {
				assertThat(shop.transactional(false)).succeedsWithin(PATIENCE);
				status.setRollbackOnly();
			});
			assertThat(jdbc.queryForObject("select count(*) from sale", Integer.class)).isEqualTo(1);
		});
	}

	@Test
	void methodWithAFutureIsRefusedWithinATransactionIfTheApplicationSaysSo() {
		this.runner.withPropertyValues("distributed-lock.transaction.on-active-transaction=reject").run((context) -> {
			Shop shop = context.getBean(Shop.class);
			TransactionTemplate transaction = context.getBean(TransactionTemplate.class);
			assertThatExceptionOfType(IllegalTransactionStateException.class)
				.isThrownBy(() -> transaction.executeWithoutResult((status) -> shop.transactional(false)))
				.withMessageContaining("on-active-transaction is REJECT");
		});
	}

	@Test
	void eachTryOfAMonoTakesTheLockAnew() {
		this.runner.run((context) -> {
			Shop shop = context.getBean(Shop.class);
			assertThat(shop.retried().block(PATIENCE)).isEqualTo("third");
			assertThat(shop.tokens()).hasSize(3).doesNotHaveDuplicates();
		});
	}

	@Test
	void eventListenerRunsUnderItsLock() {
		this.runner.run((context) -> {
			context.publishEvent(new Sold("42"));
			assertThat(context.getBean(Shop.class).heard()).containsExactly("listener:42");
			try (Lease lease = context.getBean(LockTemplate.class).acquire(LockRequest.of("listener", "43"))) {
				assertThat(lease.isHeld()).isTrue();
				CompletableFuture
					.runAsync(() -> context.publishEvent(new Sold("43")), (task) -> new Thread(task).start())
					.join();
			}
			assertThat(context.getBean(Shop.class).heard()).containsExactly("listener:42");
		});
	}

	private static JdbcTemplate table(JdbcTemplate jdbc) {
		jdbc.execute("drop table if exists sale");
		jdbc.execute("create table sale (id varchar(20))");
		return jdbc;
	}

	@Configuration(proxyBeanMethods = false)
	@EnableAsync(proxyTargetClass = true)
	@EnableResilientMethods
	static class Everything {

	}

	@Configuration(proxyBeanMethods = false)
	@EnableScheduling
	static class Scheduling {

	}

	record Sold(String productId) {

	}

	static class Job {

		private final AtomicInteger runs = new AtomicInteger();

		int runs() {
			return this.runs.get();
		}

		@Scheduled(fixedDelay = 5)
		@DistributedLock(name = "job", waitTime = "0s", minHold = "1m", onFailure = OnFailure.SKIP)
		public void run() {
			this.runs.incrementAndGet();
		}

	}

	static class Shop {

		private final AtomicInteger overlaps;

		private final List<Long> tokens;

		private final List<String> heard;

		private final AtomicInteger inside = new AtomicInteger();

		private final JdbcTemplate jdbc;

		private final LockInspector inspector;

		Shop(JdbcTemplate jdbc, LockInspector inspector) {
			this.jdbc = jdbc;
			this.inspector = inspector;
			this.overlaps = new AtomicInteger();
			this.tokens = new CopyOnWriteArrayList<>();
			this.heard = new CopyOnWriteArrayList<>();
		}

		AtomicInteger overlaps() {
			return this.overlaps;
		}

		List<Long> tokens() {
			return this.tokens;
		}

		List<String> heard() {
			return this.heard;
		}

		@Async
		@DistributedLock(name = "async", waitTime = "8s")
		public CompletableFuture<String> async() {
			if (this.inside.incrementAndGet() > 1) {
				this.overlaps.incrementAndGet();
			}
			this.inside.decrementAndGet();
			return CompletableFuture.completedFuture(LockContext.current().orElseThrow().key().name());
		}

		@Transactional
		@DistributedLock(name = "sale")
		public CompletableFuture<String> transactional(boolean loseTheLock) {
			this.jdbc.update("insert into sale values ('42')");
			Lease lease = LockContext.current().orElseThrow();
			if (loseTheLock) {
				this.inspector.forceRelease(lease.key(), null, lease.fencingToken());
				await().atMost(5, TimeUnit.SECONDS).until(() -> !lease.isHeld());
			}
			return CompletableFuture.completedFuture("stored");
		}

		@Retryable(maxRetries = 2, delay = 1)
		@DistributedLock(name = "retried")
		public Mono<String> retried() {
			this.tokens.add(LockContext.current().orElseThrow().fencingToken());
			return (this.tokens.size() < 3) ? Mono.error(new IllegalStateException("again")) : Mono.just("third");
		}

		@EventListener
		@DistributedLock(name = "listener", key = "#sold.productId", waitTime = "0s", onFailure = OnFailure.SKIP)
		public void on(Sold sold) {
			this.heard.add(LockContext.current().orElseThrow().key().toString());
		}

	}

}
