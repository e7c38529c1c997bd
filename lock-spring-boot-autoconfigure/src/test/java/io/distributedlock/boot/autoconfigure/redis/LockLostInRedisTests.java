package io.distributedlock.boot.autoconfigure.redis;

import java.time.Duration;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

import io.distributedlock.Lease;
import io.distributedlock.LockContext;
import io.distributedlock.LockLostException;
import io.distributedlock.LossReason;
import io.distributedlock.boot.autoconfigure.DistributedLockAspectAutoConfiguration;
import io.distributedlock.boot.autoconfigure.DistributedLockAutoConfiguration;
import io.distributedlock.boot.autoconfigure.DistributedLockTransactionAutoConfiguration;
import io.distributedlock.boot.autoconfigure.metrics.LockMetricsAutoConfiguration;
import io.distributedlock.spring.DistributedLock;
import io.distributedlock.store.redis.server.RedisServerProcess;
import io.micrometer.core.instrument.MeterRegistry;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.autoconfigure.aop.AopAutoConfiguration;
import org.springframework.boot.data.redis.autoconfigure.DataRedisAutoConfiguration;
import org.springframework.boot.jdbc.autoconfigure.DataSourceAutoConfiguration;
import org.springframework.boot.jdbc.autoconfigure.DataSourceTransactionManagerAutoConfiguration;
import org.springframework.boot.jdbc.autoconfigure.JdbcTemplateAutoConfiguration;
import org.springframework.boot.micrometer.metrics.autoconfigure.CompositeMeterRegistryAutoConfiguration;
import org.springframework.boot.micrometer.metrics.autoconfigure.MetricsAutoConfiguration;
import org.springframework.boot.micrometer.metrics.autoconfigure.export.simple.SimpleMetricsExportAutoConfiguration;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.boot.transaction.autoconfigure.TransactionAutoConfiguration;
import org.springframework.boot.transaction.autoconfigure.TransactionManagerCustomizationAutoConfiguration;
import org.springframework.jdbc.core.JdbcTemplate;
import org.springframework.transaction.annotation.Transactional;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.awaitility.Awaitility.await;

/**
 * A lock that somebody deletes in Redis while the method runs: everything that has to
 * follow, from the annotation to the meter, with a real Redis and a real transaction.
 */
class LockLostInRedisTests {

	private static final Logger logger = LoggerFactory.getLogger(LockLostInRedisTests.class);

	private static final Duration TTL = Duration.ofSeconds(6);

	private static RedisServerProcess redis;

	@BeforeAll
	static void start() {
		redis = RedisServerProcess.start();
	}

	@AfterAll
	static void stop() {
		redis.close();
	}

	@Test
	@Tag("E15")
	void theHolderIsToldWithinARenewalIntervalItsTransactionRollsBackAndTheLossIsCountedOnce() {
		new ApplicationContextRunner()
			.withConfiguration(AutoConfigurations.of(AopAutoConfiguration.class, DataSourceAutoConfiguration.class,
					JdbcTemplateAutoConfiguration.class, DataSourceTransactionManagerAutoConfiguration.class,
					TransactionManagerCustomizationAutoConfiguration.class, TransactionAutoConfiguration.class,
					MetricsAutoConfiguration.class, CompositeMeterRegistryAutoConfiguration.class,
					SimpleMetricsExportAutoConfiguration.class, DataRedisAutoConfiguration.class,
					RedisLockStoreAutoConfiguration.class, DistributedLockAutoConfiguration.class,
					DistributedLockAspectAutoConfiguration.class, DistributedLockTransactionAutoConfiguration.class,
					LockMetricsAutoConfiguration.class))
			.withPropertyValues("spring.data.redis.host=127.0.0.1", "spring.data.redis.port=" + redis.port(),
					"spring.datasource.url=jdbc:h2:mem:" + UUID.randomUUID(),
					"distributed-lock.locks.stock.ttl=" + TTL.toMillis() + "ms")
			.withBean(Shop.class)
			.run((context) -> {
				JdbcTemplate jdbc = context.getBean(JdbcTemplate.class);
				jdbc.execute("create table sale (id varchar(20))");
				Shop shop = context.getBean(Shop.class);
				assertThatExceptionOfType(LockLostException.class).isThrownBy(() -> shop.buy("42"))
					.satisfies((ex) -> assertThat(ex.reason()).isEqualTo(LossReason.NOT_OWNER));
				assertThat(jdbc.queryForObject("select count(*) from sale", Integer.class)).isZero();
				assertThat(shop.toldAfter()).isLessThan(TTL.dividedBy(3).plusMillis(1500));
				MeterRegistry meters = context.getBean(MeterRegistry.class);
				await().until(() -> meters.get("lock.lost")
					.tag("lock.name", "stock")
					.counters()
					.stream()
					.mapToDouble((counter) -> counter.count())
					.sum() == 1);
				logger.info("Lock deleted in Redis: told after {} ms of a renewal interval of {} ms",
						shop.toldAfter().toMillis(), TTL.dividedBy(3).toMillis());
			});
	}

	static class Shop {

		private final JdbcTemplate jdbc;

		private Duration toldAfter = Duration.ZERO;

		Shop(JdbcTemplate jdbc) {
			this.jdbc = jdbc;
		}

		// A method, since a field of the proxy would be asked else.
		Duration toldAfter() {
			return this.toldAfter;
		}

		@Transactional
		@DistributedLock(name = "stock", key = "#productId")
		public void buy(String productId) throws Exception {
			this.jdbc.update("insert into sale values (?)", productId);
			CompletableFuture<Long> told = new CompletableFuture<>();
			Lease lease = LockContext.current("stock").orElseThrow();
			lease.onLost((exception) -> told.complete(System.nanoTime()));
			long deleted = System.nanoTime();
			redis.command("DEL", redis.command("KEYS", "lock:*stock:" + productId).trim());
			this.toldAfter = Duration.ofNanos(told.get(20, TimeUnit.SECONDS) - deleted);
		}

	}

}
