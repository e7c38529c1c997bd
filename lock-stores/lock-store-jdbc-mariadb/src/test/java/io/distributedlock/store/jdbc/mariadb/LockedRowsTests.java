package io.distributedlock.store.jdbc.mariadb;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CountDownLatch;

import javax.sql.DataSource;

import com.zaxxer.hikari.HikariDataSource;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import io.distributedlock.LockKey;
import io.distributedlock.spi.AcquireReply;
import io.distributedlock.spi.AcquireReply.Granted;
import io.distributedlock.spi.AttemptId;
import io.distributedlock.spi.RenewCommand;
import io.distributedlock.spi.RenewReply;
import io.distributedlock.spi.StoreException;
import io.distributedlock.store.jdbc.JdbcLockStore;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.awaitility.Awaitility.await;

/**
 * Rows of the lock tables that somebody holds locked.
 */
class LockedRowsTests {

	private static HikariDataSource pool;

	@BeforeAll
	static void start() {
		pool = MariaDbServer.shared().pool("mariadb");
	}

	@AfterAll
	static void stop() {
		pool.close();
	}

	private final String name = AttemptId.random().toString();

	@ParameterizedTest
	@ValueSource(strings = { "mariadb", "mysql" })
	void aJvmThatStopsInTheMiddleOfATransactionHoldsUpTheOthersForSecondsOnly(String driver) {
		CountDownLatch reached = new CountDownLatch(1);
		CountDownLatch goOn = new CountDownLatch(1);
		try (HikariDataSource connections = MariaDbServer.shared().pool(driver);
				Commands other = new Commands(JdbcLockStore.builder(connections).build());
				JdbcLockStore frozen = JdbcLockStore.builder(stopping(connections, reached, goOn)).build()) {
			LockKey key = LockKey.of("stock", this.name);
			AttemptId before = AttemptId.random();
			other.acquire(key, before);
			other.release(key, before);
			CompletionStage<AcquireReply> lost = frozen
				.acquire(Commands.command(key, AttemptId.random(), Commands.TIMEOUT));
			await().until(() -> reached.getCount() == 0);
			await().atMost(Duration.ofSeconds(20))
				.ignoreExceptionsInstanceOf(StoreException.class)
				.until(() -> other.acquire(key, AttemptId.random()) instanceof Granted);
			goOn.countDown();
			assertThatExceptionOfType(StoreException.class).isThrownBy(() -> Commands.get(lost));
		}
		finally {
			goOn.countDown();
		}
	}

	@Test
	void connectionsGoBackAsTheyCame() throws SQLException {
		Map<String, String> before = limits();
		try (Commands commands = commands()) {
			LockKey key = LockKey.of("stock", this.name);
			AttemptId attempt = AttemptId.random();
			commands.acquire(key, attempt);
			commands.release(key, attempt);
			assertThat(limits()).isEqualTo(before);
		}
	}

	@Test
	void aRowThatSomebodyHoldsLockedDoesNotHoldUpTheRenewalsOfOtherLocks() throws SQLException {
		try (Commands commands = commands(); Connection rude = pool.getConnection()) {
			List<RenewCommand> renewals = new ArrayList<>();
			for (int i = 0; i < 5; i++) {
				LockKey key = LockKey.of("stock", this.name, i);
				AttemptId attempt = AttemptId.random();
				assertThat(commands.acquire(key, attempt)).isInstanceOf(Granted.class);
				renewals.add(new RenewCommand(key, attempt, Commands.TTL, Commands.TIMEOUT));
			}
			lockRow(rude, renewals.get(3).key());
			List<RenewReply> replies = new ArrayList<>(commands.renew(renewals.stream()));
			assertThat(replies.remove(3)).isInstanceOf(RenewReply.Failed.class);
			assertThat(replies).hasSize(4).containsOnly(RenewReply.RENEWED);
			rude.rollback();
			rude.setAutoCommit(true);
			assertThat(commands.renew(renewals.stream())).hasSize(5).containsOnly(RenewReply.RENEWED);
		}
	}

	@Test
	void aRowThatSomebodyHoldsLockedDoesNotHoldUpTheAcquiresOfOtherLocks() throws SQLException {
		try (Commands commands = commands(); Connection rude = pool.getConnection()) {
			LockKey locked = LockKey.of("stock", this.name);
			AttemptId before = AttemptId.random();
			commands.acquire(locked, before);
			commands.release(locked, before);
			lockRow(rude, locked);
			for (int round = 0; round < 2; round++) {
				List<CompletionStage<AcquireReply>> replies = new ArrayList<>();
				for (int i = 0; i < 20; i++) {
					LockKey key = (i == 7) ? locked : LockKey.of("stock", this.name, 100 * round + i);
					replies.add(commands.store.acquire(Commands.command(key, AttemptId.random(), Commands.TIMEOUT)));
				}
				CompletionStage<AcquireReply> stuck = replies.remove(7);
				replies.forEach((reply) -> assertThat(Commands.get(reply)).isInstanceOf(Granted.class));
				assertThatExceptionOfType(StoreException.class).isThrownBy(() -> Commands.get(stuck))
					.matches(StoreException::isRetryable);
			}
			rude.rollback();
			rude.setAutoCommit(true);
			await().ignoreExceptionsInstanceOf(StoreException.class)
				.until(() -> commands.acquire(locked, AttemptId.random()) instanceof Granted);
		}
	}

	@Test
	void renewalsAndReleasesDoNotQueueBehindAcquiresThatWaitForLockedRows() throws SQLException {
		try (Commands commands = commands(); Connection rude = pool.getConnection()) {
			LockKey held = LockKey.of("stock", this.name);
			AttemptId attempt = AttemptId.random();
			commands.acquire(held, attempt);
			List<LockKey> locked = new ArrayList<>();
			for (int i = 0; i < 6; i++) {
				LockKey key = LockKey.of("stock", this.name, i);
				AttemptId before = AttemptId.random();
				commands.acquire(key, before);
				commands.release(key, before);
				locked.add(key);
			}
			for (LockKey key : locked) {
				lockRow(rude, key);
			}
			List<CompletionStage<AcquireReply>> stuck = locked.stream()
				.map((key) -> commands.store.acquire(Commands.command(key, AttemptId.random(), Duration.ofSeconds(3))))
				.toList();
			for (int i = 0; i < 5; i++) {
				assertThat(commands.renew(held, attempt)).isEqualTo(RenewReply.RENEWED);
			}
			commands.release(held, attempt);
			assertThat(stuck).noneMatch((reply) -> reply.toCompletableFuture().isDone());
			rude.rollback();
			rude.setAutoCommit(true);
			stuck.forEach((reply) -> assertThat(Commands.get(reply)).isInstanceOf(Granted.class));
		}
	}

	@Test
	void theCleanUpWaitsForNoEntryThatItDoesNotRemove() throws SQLException {
		execute("INSERT INTO distributed_lock_waiter VALUES ('locked', 'jvm', 'a', 1, 4000000000000000)",
				"INSERT INTO distributed_lock_waiter VALUES ('old', 'jvm', 'a', 1, 1)");
		try (Connection rude = pool.getConnection()) {
			rude.setAutoCommit(false);
			execute(rude, "SELECT * FROM distributed_lock_waiter WHERE lock_key = 'locked' FOR UPDATE");
			JdbcLockStore store = JdbcLockStore.builder(pool).cleanUpAfter(Duration.ofSeconds(1)).build();
			try (store) {
				await().atMost(Duration.ofSeconds(20))
					.until(() -> query(
							"SELECT lock_key FROM distributed_lock_waiter WHERE lock_key IN" + " ('locked', 'old')")
						.equals(List.of("locked")));
			}
			finally {
				rude.rollback();
				rude.setAutoCommit(true);
			}
		}
	}

	private static Commands commands() {
		return new Commands(JdbcLockStore.builder(pool).build());
	}

	private static void lockRow(Connection connection, LockKey key) throws SQLException {
		connection.setAutoCommit(false);
		execute(connection, "SELECT * FROM distributed_lock WHERE lock_key = '" + key.id() + "' FOR UPDATE");
	}

	private static void execute(String... statements) throws SQLException {
		try (Connection connection = pool.getConnection()) {
			for (String sql : statements) {
				execute(connection, sql);
			}
		}
	}

	private static void execute(Connection connection, String sql) throws SQLException {
		try (Statement statement = connection.createStatement()) {
			statement.execute(sql);
		}
	}

	private static List<String> query(String sql) throws SQLException {
		List<String> found = new ArrayList<>();
		try (Connection connection = pool.getConnection();
				PreparedStatement statement = connection.prepareStatement(sql);
				ResultSet result = statement.executeQuery()) {
			while (result.next()) {
				found.add(result.getString(1));
			}
		}
		return found;
	}

	/** What each idle connection of the pool has. */
	private static Map<String, String> limits() throws SQLException {
		Map<String, String> limits = new TreeMap<>();
		try (Connection connection = pool.getConnection();
				Statement statement = connection.createStatement();
				ResultSet result = statement.executeQuery("SHOW SESSION VARIABLES WHERE Variable_name IN"
						+ " ('wait_timeout', 'innodb_lock_wait_timeout', 'autocommit', 'tx_isolation')")) {
			while (result.next()) {
				limits.put(result.getString(1), result.getString(2));
			}
		}
		return limits;
	}

	/**
	 * A source whose connections stop when the clock is to be read, which is when rows
	 * are locked.
	 */
	private static DataSource stopping(DataSource source, CountDownLatch reached, CountDownLatch goOn) {
		return Proxies.connections(source, (connection, method, arguments) -> {
			if (method.getName().equals("prepareStatement") && ((String) arguments[0]).contains("UTC_TIMESTAMP")) {
				reached.countDown();
				goOn.await();
			}
			return method.invoke(connection, arguments);
		});
	}

}
