package io.distributedlock.store.jdbc;

import java.sql.Connection;
import java.sql.SQLException;
import java.sql.SQLTransientConnectionException;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

import javax.sql.DataSource;

import com.zaxxer.hikari.HikariDataSource;
import org.junit.jupiter.api.Test;

import io.distributedlock.LockRequest;
import io.distributedlock.LockStoreException;
import io.distributedlock.engine.LockEngine;
import io.distributedlock.spi.StoreException;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;
import static org.awaitility.Awaitility.await;

/**
 * What is said in an outage of a database that a pool does not tell of.
 */
class ConnectionFailuresTests {

	private final ConnectionFailures failures = new ConnectionFailures();

	@Test
	void lastFailureIsKnownUntilThereIsAConnection() {
		assertThat(this.failures.lately()).isNull();
		SQLException first = new SQLException("first");
		SQLException second = new SQLException("second");
		this.failures.failed(first);
		this.failures.failed(second);
		assertThat(this.failures.lately()).isSameAs(second);
		this.failures.succeeded();
		assertThat(this.failures.lately()).isNull();
	}

	@Test
	void messageNamesWhatPoolAndDriverSaid() {
		SQLException failure = new SQLTransientConnectionException("the pool gave up\nafter a while",
				new SQLException("connection refused"));
		StoreException known = JdbcErrors.timedOut("jdbc:h2:mem:x", false, failure);
		assertThat(known).hasMessageContaining("Is the database down, slow or paused")
			.hasMessageContaining("last failure to connect: the pool gave up: connection refused]")
			.hasCause(failure);
		assertThat(JdbcErrors.timedOut("jdbc:h2:mem:x", true, null)).hasMessageContaining("Is the database down,")
			.hasMessageEndingWith("[database jdbc:h2:mem:x]")
			.hasNoCause();
	}

	@Test
	void callersAreToldWhatThePoolSaidToThoseBeforeThem() throws Exception {
		CountDownLatch patience = new CountDownLatch(1);
		AtomicInteger refusals = new AtomicInteger();
		try (HikariDataSource pool = Databases.pool("jdbc:h2:mem:connection-failures", 4)) {
			Databases.initialize(pool);
			Outage outage = new Outage(pool, patience, refusals);
			try (JdbcLockStore store = JdbcLockStore.builder(outage.source()).build();
					LockEngine locks = LockEngine.builder()
						.store(store)
						.commandTimeout(Duration.ofMillis(300))
						.build()) {
				locks.acquire(LockRequest.of("stock", "before")).close();
				outage.begins = true;
				assertThat(failure(locks, "first")).hasMessageContaining("Is the database down,")
					.hasMessageNotContaining("last failure to connect");
				outage.gaveUpOnce = true;
				patience.countDown();
				await().until(() -> refusals.get() > 0);
				assertThat(failure(locks, "second"))
					.hasMessageContaining("last failure to connect: pool: no connection: connection refused");
				outage.begins = false;
				outage.ends.countDown();
			}
		}
	}

	private static LockStoreException failure(LockEngine locks, String key) {
		LockRequest request = LockRequest.of("stock", key).withWaitTime(Duration.ZERO);
		return catchThrowableOfType(LockStoreException.class, () -> locks.acquire(request));
	}

	/**
	 * A pool that holds its callers for longer than they have time.
	 */
	private static final class Outage {

		private final DataSource pool;

		private final CountDownLatch patience;

		private final AtomicInteger refusals;

		private final CountDownLatch ends = new CountDownLatch(1);

		private volatile boolean begins;

		private volatile boolean gaveUpOnce;

		Outage(DataSource pool, CountDownLatch patience, AtomicInteger refusals) {
			this.pool = pool;
			this.patience = patience;
			this.refusals = refusals;
		}

		DataSource source() {
			return Proxies.of(DataSource.class, (method, arguments) -> method.getName().equals("getConnection")
					? connection() : method.invoke(this.pool, arguments));
		}

		private Connection connection() throws Exception {
			if (this.begins) {
				boolean later = this.gaveUpOnce && this.refusals.get() > 0;
				(later ? this.ends : this.patience).await(30, TimeUnit.SECONDS);
				this.refusals.incrementAndGet();
				throw new SQLTransientConnectionException("pool: no connection",
						new SQLException("connection refused"));
			}
			return this.pool.getConnection();
		}

	}

}
