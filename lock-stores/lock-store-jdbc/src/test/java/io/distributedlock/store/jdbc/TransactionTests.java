package io.distributedlock.store.jdbc;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CountDownLatch;

import javax.sql.DataSource;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.jdbc.core.JdbcTemplate;
import org.springframework.jdbc.support.JdbcTransactionManager;
import org.springframework.transaction.support.TransactionTemplate;

import io.distributedlock.Lease;
import io.distributedlock.LockKey;
import io.distributedlock.LockRequest;
import io.distributedlock.engine.LockEngine;
import io.distributedlock.spi.AbandonCommand;
import io.distributedlock.spi.AcquireReply;
import io.distributedlock.spi.AcquireReply.Granted;
import io.distributedlock.spi.AcquireReply.Refused;
import io.distributedlock.spi.AttemptId;
import io.distributedlock.spi.ReleaseReply;
import io.distributedlock.spi.RenewReply;
import io.distributedlock.spi.StoreException;
import io.distributedlock.store.jdbc.server.PostgresServer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.awaitility.Awaitility.await;

/**
 * Whose connections and transactions the store uses, and what it does when others hold
 * rows of its tables.
 */
class TransactionTests {

	private static PostgresServer server;

	@BeforeAll
	static void start() {
		server = PostgresServer.start();
		Databases.initialize(server.dataSource());
		Databases.execute(server.dataSource(), "CREATE TABLE orders (id INT)");
	}

	@AfterAll
	static void stop() {
		server.close();
	}

	private final LockKey key = LockKey.of("stock", AttemptId.random().toString());

	@Test
	void noConnectionIsHeldWhileALockIsHeld() {
		try (HikariDataSource pool = Databases.pool(server.url(), 10);
				LockEngine engine = LockEngine.builder()
					.store(JdbcLockStore.builder(pool).listen(false).build())
					.build()) {
			try (Lease lease = engine.acquire(request())) {
				await().until(() -> pool.getHikariPoolMXBean().getActiveConnections() == 0);
				assertThat(lease.isHeld()).isTrue();
			}
		}
	}

	@Test
	void aCallersTransactionThatIsRolledBackKeepsTheLock() {
		try (HikariDataSource pool = Databases.pool(server.url(), 10); StoreFixture fixture = StoreFixture.of(pool)) {
			AttemptId attempt = AttemptId.random();
			JdbcTemplate jdbc = new JdbcTemplate(pool);
			new TransactionTemplate(new JdbcTransactionManager(pool)).executeWithoutResult((status) -> {
				jdbc.update("INSERT INTO orders VALUES (1)");
				assertThat(fixture.acquire(this.key, attempt)).isInstanceOf(Granted.class);
				status.setRollbackOnly();
			});
			assertThat(jdbc.queryForObject("SELECT COUNT(*) FROM orders", Integer.class)).isZero();
			assertThat(fixture.renew(this.key, attempt)).isEqualTo(RenewReply.RENEWED);
		}
	}

	@Test
	void aReleaseWithinACallersTransactionDoesNotCommitIt() {
		try (HikariDataSource pool = Databases.pool(server.url(), 10); StoreFixture fixture = StoreFixture.of(pool)) {
			AttemptId attempt = AttemptId.random();
			fixture.acquire(this.key, attempt);
			JdbcTemplate jdbc = new JdbcTemplate(pool);
			new TransactionTemplate(new JdbcTransactionManager(pool)).executeWithoutResult((status) -> {
				jdbc.update("INSERT INTO orders VALUES (1)");
				assertThat(fixture.release(this.key, attempt)).isEqualTo(new ReleaseReply.Released(false));
				status.setRollbackOnly();
			});
			assertThat(jdbc.queryForObject("SELECT COUNT(*) FROM orders", Integer.class)).isZero();
		}
	}

	@Test
	void aPoolWithOneConnectionIsEnough() {
		try (HikariDataSource pool = Databases.pool(server.url(), 1);
				LockEngine first = LockEngine.builder().store(JdbcLockStore.builder(pool).build()).build();
				LockEngine second = LockEngine.builder().store(JdbcLockStore.builder(pool).build()).build()) {
			for (int i = 0; i < 10; i++) {
				first.acquire(request()).close();
				second.acquire(request()).close();
			}
			Lease held = first.acquire(request());
			Thread waiter = new Thread(() -> second.acquire(request()).close());
			waiter.start();
			await().until(() -> !second.waiting().isEmpty());
			held.close();
			await().until(() -> !waiter.isAlive());
			assertThat(pool.getHikariPoolMXBean().getTotalConnections()).isOne();
		}
	}

	@Test
	void aPoolWithoutAConnectionToSpareIsNamedInTheCheck() {
		try (HikariDataSource pool = Databases.pool(server.url(), 1);
				JdbcLockStore store = StoreFixture.builder(pool).commandTimeout(Duration.ofMillis(300)).build();
				StoreFixture fixture = new StoreFixture(store)) {
			await().untilAsserted(() -> assertThat(fixture.store.check()).singleElement()
				.asString()
				.contains("no connection to spare for LISTEN")
				.contains("two connections or more"));
		}
	}

	@ParameterizedTest
	@ValueSource(strings = { "TRANSACTION_SERIALIZABLE", "TRANSACTION_REPEATABLE_READ", "TRANSACTION_READ_COMMITTED" })
	void connectionsGoBackAsTheyCame(String isolation) throws SQLException {
		HikariConfig config = new HikariConfig();
		config.setJdbcUrl(server.url());
		config.setMaximumPoolSize(1);
		config.setAutoCommit(false);
		config.setTransactionIsolation(isolation);
		try (HikariDataSource pool = new HikariDataSource(config);
				StoreFixture fixture = new StoreFixture(StoreFixture.builder(pool).listen(false).build())) {
			AttemptId holder = AttemptId.random();
			AttemptId waiter = AttemptId.random();
			assertThat(fixture.acquire(this.key, holder)).isInstanceOf(Granted.class);
			assertThat(fixture.enqueue(this.key, waiter)).isInstanceOf(Refused.class);
			fixture.release(this.key, holder);
			assertThat(fixture.enqueue(this.key, waiter)).isInstanceOf(Granted.class);
			try (Connection connection = pool.getConnection(); Statement statement = connection.createStatement()) {
				assertThat(connection.getAutoCommit()).isFalse();
				assertThat(connection.getTransactionIsolation())
					.isEqualTo(com.zaxxer.hikari.util.IsolationLevel.valueOf(isolation).getLevelId());
				assertThat(connection.getNetworkTimeout()).isZero();
				for (String limit : List.of("statement_timeout", "lock_timeout",
						"idle_in_transaction_session_timeout")) {
					var result = statement.executeQuery("SHOW " + limit);
					result.next();
					assertThat(result.getString(1)).as(limit).isEqualTo("0");
				}
				var result = statement.executeQuery("SHOW synchronous_commit");
				result.next();
				assertThat(result.getString(1)).isEqualTo("on");
			}
		}
	}

	@Test
	void aRowThatSomebodyHoldsLockedMakesAnAcquireFailInTimeAndWithoutEffect() throws SQLException {
		try (HikariDataSource pool = Databases.pool(server.url(), 10); StoreFixture fixture = StoreFixture.of(pool)) {
			AttemptId before = AttemptId.random();
			fixture.acquire(this.key, before);
			fixture.release(this.key, before);
			Connection rude = server.dataSource().getConnection();
			rude.setAutoCommit(false);
			Databases.execute(oneUse(rude),
					"SELECT * FROM distributed_lock WHERE lock_key = '" + this.key.id() + "' FOR UPDATE");
			AttemptId late = AttemptId.random();
			long start = System.nanoTime();
			CompletionStage<AcquireReply> reply = fixture.store
				.acquire(StoreFixture.command(this.key, late, Duration.ofMillis(400)));
			assertThatExceptionOfType(StoreException.class).isThrownBy(() -> StoreFixture.get(reply))
				.matches(StoreException::isRetryable);
			assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(Duration.ofSeconds(4));
			rude.rollback();
			rude.close();
			// Gives it time to do harm.
			await().pollDelay(Duration.ofMillis(300)).until(() -> true);
			assertThat(fixture.renew(this.key, late)).isEqualTo(RenewReply.NOT_OWNER);
			assertThat(fixture.acquire(this.key, AttemptId.random())).isInstanceOf(Granted.class);
		}
	}

	@Test
	void anAbandonWaitsForAnInsertThatNobodySeesYet() throws SQLException {
		try (HikariDataSource pool = Databases.pool(server.url(), 10); StoreFixture fixture = StoreFixture.of(pool)) {
			AttemptId attempt = AttemptId.random();
			// As an acquire whose commit is on its way.
			Connection slow = server.dataSource().getConnection();
			slow.setAutoCommit(false);
			long hour = Duration.ofHours(1).toNanos() / 1000;
			Databases.execute(oneUse(slow),
					"INSERT INTO distributed_lock SELECT '" + this.key.id() + "', 'H', '" + attempt + "', '"
							+ fixture.store.instanceId() + "', 1, 1, (EXTRACT(EPOCH FROM NOW()) * 1000000)::BIGINT + "
							+ hour + ", 0");
			CompletionStage<Void> abandon = fixture.store
				.abandon(new AbandonCommand(this.key, attempt, StoreFixture.TIMEOUT));
			await().pollDelay(Duration.ofMillis(300)).until(() -> true);
			assertThat(abandon.toCompletableFuture()).isNotDone();
			slow.commit();
			slow.close();
			StoreFixture.get(abandon);
			assertThat(fixture.acquire(this.key, AttemptId.random())).isInstanceOf(Granted.class);
		}
	}

	@Test
	void aRowThatSomebodyHoldsLockedDoesNotHoldUpOtherLocks() throws SQLException {
		try (HikariDataSource pool = Databases.pool(server.url(), 10); StoreFixture fixture = StoreFixture.of(pool)) {
			AttemptId before = AttemptId.random();
			fixture.acquire(this.key, before);
			Connection rude = server.dataSource().getConnection();
			rude.setAutoCommit(false);
			Databases.execute(oneUse(rude),
					"SELECT * FROM distributed_lock WHERE lock_key = '" + this.key.id() + "' FOR UPDATE");
			CompletionStage<AcquireReply> stuck = fixture.store
				.acquire(StoreFixture.command(this.key, AttemptId.random(), Duration.ofSeconds(15)));
			for (int i = 0; i < 20; i++) {
				LockKey other = LockKey.of("stock", this.key.parts().get(0), i);
				AttemptId attempt = AttemptId.random();
				assertThat(StoreFixture
					.get(fixture.store.acquire(StoreFixture.command(other, attempt, Duration.ofSeconds(5)))))
					.isInstanceOf(Granted.class);
				fixture.release(other, attempt);
			}
			assertThat(stuck.toCompletableFuture()).isNotDone();
			rude.rollback();
			rude.close();
			assertThat(StoreFixture.get(stuck)).isInstanceOf(Refused.class);
		}
	}

	@Test
	void aRowThatSomebodyHoldsLockedDoesNotHoldUpThoseThatShareItsTransaction() throws SQLException {
		try (HikariDataSource pool = Databases.pool(server.url(), 10); StoreFixture fixture = StoreFixture.of(pool)) {
			LockKey locked = LockKey.of("stock", this.key.parts().get(0), 7);
			AttemptId before = AttemptId.random();
			fixture.acquire(locked, before);
			fixture.release(locked, before);
			Connection rude = server.dataSource().getConnection();
			rude.setAutoCommit(false);
			Databases.execute(oneUse(rude),
					"SELECT * FROM distributed_lock WHERE lock_key = '" + locked.id() + "' FOR UPDATE");
			for (int round = 0; round < 2; round++) {
				List<CompletionStage<AcquireReply>> replies = new ArrayList<>();
				for (int i = 0; i < 40; i++) {
					LockKey each = LockKey.of("stock", this.key.parts().get(0), (i == 7) ? 7 : 100 * round + i);
					replies.add(fixture.store
						.acquire(StoreFixture.command(each, AttemptId.random(), Duration.ofSeconds(3))));
				}
				CompletionStage<AcquireReply> stuck = replies.remove(7);
				for (CompletionStage<AcquireReply> reply : replies) {
					assertThat(StoreFixture.get(reply)).isInstanceOf(Granted.class);
				}
				assertThat(stuck.toCompletableFuture()).isNotDone();
				assertThatExceptionOfType(StoreException.class).isThrownBy(() -> StoreFixture.get(stuck));
			}
			rude.rollback();
			rude.close();
			assertThat(fixture.acquire(locked, AttemptId.random())).isInstanceOf(Granted.class);
		}
	}

	@ParameterizedTest
	@CsvSource({ "F off, H on, ''", "F off, H on, &stringtype=unspecified&prepareThreshold=1",
			"F off, H on, &prepareThreshold=1", "F on, H on, &preferQueryMode=simple" })
	void onlyReleasesDoNotWaitForTheDisk(String free, String held, String options) throws SQLException {
		Databases.execute(server.dataSource(), "DROP TABLE IF EXISTS seen",
				"CREATE TABLE seen (state TEXT, attempt TEXT, mode TEXT)",
				"CREATE OR REPLACE FUNCTION see() RETURNS TRIGGER LANGUAGE plpgsql AS $$ BEGIN INSERT INTO seen VALUES"
						+ " (NEW.lock_state, OLD.attempt, current_setting('synchronous_commit')); RETURN NEW; END $$",
				"CREATE OR REPLACE TRIGGER see AFTER UPDATE ON distributed_lock FOR EACH ROW WHEN (NEW.lock_key LIKE"
						+ " 'disk:%') EXECUTE FUNCTION see()");
		HikariConfig config = new HikariConfig();
		config.setJdbcUrl(server.url() + options);
		config.setMaximumPoolSize(1);
		config.setConnectionInitSql("SET synchronous_commit = off");
		LockKey disk = LockKey.of("disk", this.key.parts().get(0));
		try (HikariDataSource careless = new HikariDataSource(config);
				StoreFixture fixture = new StoreFixture(StoreFixture.builder(careless).listen(false).build())) {
			for (int i = 0; i < 3; i++) {
				AttemptId attempt = AttemptId.random();
				fixture.acquire(disk, attempt);
				fixture.renew(disk, attempt);
				fixture.extend(disk, attempt, 5);
				fixture.release(disk, attempt);
			}
		}
		assertThat(server.query("SELECT DISTINCT state || ' ' || mode FROM seen ORDER BY 1")).containsExactly(free,
				held);
	}

	@Test
	void whatFailsAfterTheDatabaseHasDoneItLeavesTheOutcomeOpen() {
		try (HikariDataSource pool = Databases.pool(server.url(), 2);
				StoreFixture fixture = new StoreFixture(StoreFixture.builder(onStatement(pool, "INSERT INTO",
						(statement) -> Proxies.of(PreparedStatement.class, (called, values) -> {
							if (called.getName().equals("close")) {
								throw new SQLException("lost", "08006");
							}
							return called.invoke(statement, values);
						})))
					.listen(false)
					.build())) {
			// So that it knows the clock, and one statement is enough.
			fixture.renew(this.key, AttemptId.random());
			AttemptId attempt = AttemptId.random();
			assertThatExceptionOfType(StoreException.class).isThrownBy(() -> fixture.acquire(this.key, attempt))
				.matches(StoreException::mayHaveExecuted);
			assertThat(fixture.renew(this.key, attempt)).isEqualTo(RenewReply.RENEWED);
		}
	}

	@Test
	void aJvmThatStopsInTheMiddleOfATransactionHoldsUpTheOthersForASecondOnly() {
		CountDownLatch reached = new CountDownLatch(1);
		CountDownLatch goOn = new CountDownLatch(1);
		try (HikariDataSource pool = Databases.pool(server.url(), 10);
				StoreFixture holder = StoreFixture.of(pool);
				StoreFixture frozen = new StoreFixture(
						StoreFixture.builder(onStatement(pool, "UPDATE distributed_lock SET", (statement) -> {
							reached.countDown();
							goOn.await();
							return statement;
						})).listen(false).build())) {
			AttemptId attempt = AttemptId.random();
			holder.acquire(this.key, attempt);
			CompletionStage<AcquireReply> lost = frozen.store
				.acquireOrEnqueue(StoreFixture.command(this.key, AttemptId.random(), Duration.ofSeconds(1)));
			await().until(() -> reached.getCount() == 0);
			assertThat(holder.release(this.key, attempt)).isEqualTo(new ReleaseReply.Released(false));
			goOn.countDown();
			assertThatExceptionOfType(StoreException.class).isThrownBy(() -> StoreFixture.get(lost));
		}
		finally {
			goOn.countDown();
		}
	}

	private LockRequest request() {
		return LockRequest.of(this.key.name(), this.key.parts().get(0)).withWaitTime(Duration.ofSeconds(10));
	}

	/** A source of one connection that stays open. */
	private static DataSource oneUse(Connection connection) {
		return new org.springframework.jdbc.datasource.SingleConnectionDataSource(connection, true);
	}

	/** A source that does something to statements that contain some text. */
	private static DataSource onStatement(DataSource source, String text, Change change) {
		return Proxies.connections(source, (connection, method, arguments) -> {
			Object result = method.invoke(connection, arguments);
			return (method.getName().equals("prepareStatement") && ((String) arguments[0]).contains(text))
					? change.apply((PreparedStatement) result) : result;
		});
	}

	private interface Change {

		PreparedStatement apply(PreparedStatement statement) throws Exception;

	}

}
