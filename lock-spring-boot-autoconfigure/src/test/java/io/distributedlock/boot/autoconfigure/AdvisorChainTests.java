package io.distributedlock.boot.autoconfigure;

import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

import io.distributedlock.LockContext;
import io.distributedlock.LockKey;
import io.distributedlock.LockNotAcquiredException;
import io.distributedlock.LockNotAcquiredException.Reason;
import io.distributedlock.spring.DistributedLock;
import io.distributedlock.spring.FakeLocks;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

import org.springframework.aop.framework.Advised;
import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.autoconfigure.aop.AopAutoConfiguration;
import org.springframework.boot.jdbc.autoconfigure.DataSourceAutoConfiguration;
import org.springframework.boot.jdbc.autoconfigure.DataSourceTransactionManagerAutoConfiguration;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.boot.transaction.autoconfigure.TransactionAutoConfiguration;
import org.springframework.cache.CacheManager;
import org.springframework.cache.annotation.Cacheable;
import org.springframework.cache.annotation.EnableCaching;
import org.springframework.cache.concurrent.ConcurrentMapCacheManager;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.resilience.annotation.EnableResilientMethods;
import org.springframework.resilience.annotation.Retryable;
import org.springframework.scheduling.annotation.Async;
import org.springframework.scheduling.annotation.EnableAsync;
import org.springframework.security.access.AccessDeniedException;
import org.springframework.security.access.prepost.PreAuthorize;
import org.springframework.security.authentication.TestingAuthenticationToken;
import org.springframework.security.config.annotation.method.configuration.EnableMethodSecurity;
import org.springframework.security.core.context.SecurityContextHolder;
import org.springframework.transaction.annotation.Transactional;
import org.springframework.transaction.support.TransactionSynchronization;
import org.springframework.transaction.support.TransactionSynchronizationManager;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

/**
 * Pins where the lock stands among the other aspects of Spring: asynchronous execution,
 * retries, security, lock, cache, transaction, method.
 */
class AdvisorChainTests {

	private final ApplicationContextRunner runner = new ApplicationContextRunner()
		.withConfiguration(AutoConfigurations.of(AopAutoConfiguration.class, DataSourceAutoConfiguration.class,
				DataSourceTransactionManagerAutoConfiguration.class, TransactionAutoConfiguration.class,
				DistributedLockAutoConfiguration.class, DistributedLockAspectAutoConfiguration.class,
				DistributedLockTransactionAutoConfiguration.class))
		.withPropertyValues("spring.datasource.url=jdbc:h2:mem:" + UUID.randomUUID())
		.withUserConfiguration(Everything.class)
		.withBean(FakeLocks.class)
		.withBean(Shop.class);

	@AfterEach
	void forgetUser() {
		SecurityContextHolder.clearContext();
	}

	@Test
	void lockIsWithinAsyncRetryAndSecurityAndAroundCacheAndTransaction() {
		this.runner.run((context) -> {
			List<String> chain = Arrays.stream(((Advised) context.getBean(Shop.class)).getAdvisors())
				.map((advisor) -> advisor.getAdvice().getClass().getSimpleName())
				.toList();
			int lock = chain.indexOf("DistributedLockInterceptor");
			assertThat(lock).isPositive();
			assertThat(chain.subList(0, lock)).contains("AnnotationAsyncExecutionInterceptor",
					"RetryAnnotationInterceptor", "DeferringMethodInterceptor");
			assertThat(chain.subList(lock + 1, chain.size())).contains("CacheInterceptor", "TransactionInterceptor");
		});
	}

	@Test
	void transactionBeginsAfterTheLockAndEndsBeforeItsRelease() {
		this.runner.run((context) -> {
			context.getBean(Shop.class).transactional();
			assertThat(context.getBean(FakeLocks.class).journal).containsExactly("acquired Shop.transactional",
					"committed", "released Shop.transactional");
		});
	}

	@Test
	void cacheIsAskedUnderTheLockSoThatItIsFilledOnce() {
		this.runner.run((context) -> {
			Shop shop = context.getBean(Shop.class);
			assertThat(shop.cached("7")).isEqualTo("Shop.cached:7");
			assertThat(shop.cached("7")).isEqualTo("Shop.cached:7");
			assertThat(context.getBean(FakeLocks.class).journal).containsExactly("acquired Shop.cached:7", "computed",
					"released Shop.cached:7", "acquired Shop.cached:7", "released Shop.cached:7");
		});
	}

	@Test
	void eachRetryTakesTheLockAnew() {
		this.runner.run((context) -> {
			context.getBean(Shop.class).retried();
			assertThat(context.getBean(FakeLocks.class).journal).containsExactly("acquired Shop.retried",
					"released Shop.retried", "acquired Shop.retried", "released Shop.retried");
		});
	}

	@Test
	void contentionCanBeRetried() {
		this.runner.run((context) -> {
			FakeLocks locks = context.getBean(FakeLocks.class);
			locks.failWith(new LockNotAcquiredException(LockKey.of("x"), Reason.BUSY, Duration.ZERO, "test"));
			assertThatExceptionOfType(LockNotAcquiredException.class)
				.isThrownBy(() -> context.getBean(Shop.class).retried());
			assertThat(locks.requests).hasSize(3);
		});
	}

	@Test
	void asynchronousMethodTakesTheLockOnItsOwnThread() {
		this.runner.run((context) -> {
			Shop shop = context.getBean(Shop.class);
			shop.asynchronous();
			String holder = context.getBean(Seen.class).owner.get(10, TimeUnit.SECONDS);
			assertThat(holder).isNotEqualTo(LockContext.owner().toString());
		});
	}

	@Test
	void whoMayNotCallTakesNoLock() {
		this.runner.run((context) -> {
			SecurityContextHolder.getContext().setAuthentication(new TestingAuthenticationToken("me", "", "ROLE_USER"));
			assertThatExceptionOfType(AccessDeniedException.class)
				.isThrownBy(() -> context.getBean(Shop.class).secured());
			assertThat(context.getBean(FakeLocks.class).requests).isEmpty();
			SecurityContextHolder.getContext()
				.setAuthentication(new TestingAuthenticationToken("you", "", "ROLE_ADMIN"));
			context.getBean(Shop.class).secured();
			assertThat(context.getBean(FakeLocks.class).requests).hasSize(1);
		});
	}

	@Configuration(proxyBeanMethods = false)
	@EnableAsync(proxyTargetClass = true)
	@EnableCaching
	@EnableMethodSecurity
	@EnableResilientMethods
	static class Everything {

		@Bean
		CacheManager cacheManager() {
			return new ConcurrentMapCacheManager();
		}

		@Bean
		Seen seen() {
			return new Seen();
		}

	}

	static class Seen {

		final CompletableFuture<String> owner = new CompletableFuture<>();

		int tries;

	}

	static class Shop {

		private final FakeLocks locks;

		private final Seen seen;

		Shop(FakeLocks locks, Seen seen) {
			this.locks = locks;
			this.seen = seen;
		}

		@DistributedLock
		@Transactional
		public void transactional() {
			TransactionSynchronizationManager.registerSynchronization(new TransactionSynchronization() {
				@Override
				public void afterCommit() {
					Shop.this.locks.journal.add("committed");
				}
			});
		}

		@DistributedLock(key = "#id")
		@Cacheable("things")
		public String cached(String id) {
			this.locks.journal.add("computed");
			return LockContext.current().orElseThrow().key().id();
		}

		@DistributedLock
		@Retryable(maxRetries = 2, delay = 1)
		public void retried() {
			if (this.seen.tries++ == 0) {
				throw new IllegalStateException("once");
			}
		}

		@DistributedLock
		@Async
		public void asynchronous() {
			this.seen.owner.complete(LockContext.current().map((lease) -> lease.owner().toString()).orElse("nobody"));
		}

		@DistributedLock
		@PreAuthorize("hasRole('ADMIN')")
		public void secured() {
		}

	}

}
