package io.distributedlock.boot.autoconfigure;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;

import io.distributedlock.LockInspector;
import io.distributedlock.LockInspector.HeldLock;
import io.distributedlock.LockLostException;
import io.distributedlock.boot.autoconfigure.memory.MemoryLockStoreAutoConfiguration;
import io.distributedlock.spring.DistributedLock;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

import org.springframework.beans.factory.ObjectProvider;
import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.autoconfigure.aop.AopAutoConfiguration;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.transaction.ReactiveTransaction;
import org.springframework.transaction.ReactiveTransactionManager;
import org.springframework.transaction.TransactionDefinition;
import org.springframework.transaction.annotation.EnableTransactionManagement;
import org.springframework.transaction.annotation.Transactional;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.awaitility.Awaitility.await;

/**
 * Tests for locks around reactive transactions.
 */
class ReactiveTransactionTests {

	private static final Duration PATIENCE = Duration.ofSeconds(20);

	private final ApplicationContextRunner runner = new ApplicationContextRunner()
		.withConfiguration(AutoConfigurations.of(AopAutoConfiguration.class, MemoryLockStoreAutoConfiguration.class,
				DistributedLockAutoConfiguration.class, DistributedLockAspectAutoConfiguration.class,
				DistributedLockTransactionAutoConfiguration.class, ReactiveLockAutoConfiguration.class))
		.withUserConfiguration(Transactions.class)
		.withBean(Shop.class)
		.withPropertyValues("distributed-lock.store=memory");

	@Test
	void theLockIsReleasedAfterTheCommit() {
		this.runner.run((context) -> {
			assertThat(context.getBean(Shop.class).buy("42").block(PATIENCE)).isEqualTo("sold");
			assertThat(context.getBean(Recording.class).events).containsExactly("begin, 1 held", "commit, 1 held");
			assertThat(context.getBean(LockInspector.class).held()).isEmpty();
		});
	}

	@Test
	void theLockOfAFluxIsReleasedAfterTheCommit() {
		this.runner.run((context) -> {
			assertThat(context.getBean(Shop.class).buyMany("42").collectList().block(PATIENCE)).containsExactly("a",
					"b");
			assertThat(context.getBean(Recording.class).events).containsExactly("begin, 1 held", "commit, 1 held");
			assertThat(context.getBean(LockInspector.class).held()).isEmpty();
		});
	}

	@Test
	void theLockIsReleasedAfterTheRollback() {
		this.runner.run((context) -> {
			assertThatIllegalStateException().isThrownBy(() -> context.getBean(Shop.class).fail("42").block(PATIENCE));
			assertThat(context.getBean(Recording.class).events).containsExactly("begin, 1 held", "rollback, 1 held");
			assertThat(context.getBean(LockInspector.class).held()).isEmpty();
		});
	}

	@Test
	void aLostLockRollsBackAndNeverCommits() {
		this.runner.run((context) -> {
			LockInspector inspector = context.getBean(LockInspector.class);
			Recording transactions = context.getBean(Recording.class);
			CompletableFuture<String> result = context.getBean(Shop.class).never("42").toFuture();
			await().until(() -> transactions.events.size() == 1);
			HeldLock held = inspector.held().get(0);
			assertThat(inspector.forceRelease(held.key(), null, held.fencingToken())).isTrue();
			assertThatExceptionOfType(Exception.class)
				.isThrownBy(() -> result.get(PATIENCE.toSeconds(), TimeUnit.SECONDS))
				.withCauseInstanceOf(LockLostException.class);
			await().untilAsserted(
					() -> assertThat(transactions.events).containsExactly("begin, 1 held", "rollback, 0 held"));
		});
	}

	@Test
	void aCancelledSubscriptionRollsBack() {
		this.runner.run((context) -> {
			Recording transactions = context.getBean(Recording.class);
			CompletableFuture<String> result = context.getBean(Shop.class).never("42").toFuture();
			await().until(() -> transactions.events.size() == 1);
			result.cancel(true);
			await().untilAsserted(
					() -> assertThat(transactions.events).hasSize(2).last().asString().startsWith("rollback"));
			await().untilAsserted(() -> assertThat(context.getBean(LockInspector.class).held()).isEmpty());
		});
	}

	@Configuration(proxyBeanMethods = false)
	@EnableTransactionManagement
	static class Transactions {

		@Bean
		Recording transactionManager(ObjectProvider<LockInspector> inspector) {
			return new Recording(inspector);
		}

	}

	/**
	 * Transactions of nothing, which take their time, and write down how many locks were
	 * held when they began and ended.
	 */
	static final class Recording implements ReactiveTransactionManager {

		private final List<String> events = new CopyOnWriteArrayList<>();

		private final ObjectProvider<LockInspector> inspector;

		Recording(ObjectProvider<LockInspector> inspector) {
			this.inspector = inspector;
		}

		@Override
		public Mono<ReactiveTransaction> getReactiveTransaction(@Nullable TransactionDefinition definition) {
			return Mono.fromSupplier(() -> {
				note("begin");
				return new ReactiveTransaction() {
				};
			});
		}

		@Override
		public Mono<Void> commit(ReactiveTransaction transaction) {
			return later("commit");
		}

		@Override
		public Mono<Void> rollback(ReactiveTransaction transaction) {
			return later("rollback");
		}

		private Mono<Void> later(String event) {
			return Mono.delay(Duration.ofMillis(50)).then(Mono.fromRunnable(() -> note(event)));
		}

		private void note(String event) {
			this.events.add(event + ", " + this.inspector.getObject().held().size() + " held");
		}

	}

	static class Shop {

		@Transactional
		@DistributedLock(name = "stock", key = "#id")
		public Mono<String> buy(String id) {
			return Mono.just("sold");
		}

		@Transactional
		@DistributedLock(name = "stock", key = "#id")
		public Flux<String> buyMany(String id) {
			return Flux.just("a", "b");
		}

		@Transactional
		@DistributedLock(name = "stock", key = "#id")
		public Mono<String> fail(String id) {
			return Mono.error(new IllegalStateException("sold out"));
		}

		@Transactional
		@DistributedLock(name = "stock", key = "#id")
		public Mono<String> never(String id) {
			return Mono.never();
		}

	}

}
