package io.distributedlock.store.jdbc;

import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;

import com.zaxxer.hikari.HikariDataSource;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

import io.distributedlock.Lease;
import io.distributedlock.LockKey;
import io.distributedlock.LockRequest;
import io.distributedlock.engine.LockEngine;
import io.distributedlock.spi.AttemptId;
import io.distributedlock.spi.MessagingLockStore.MessageReceiver;
import io.distributedlock.store.jdbc.MessageTable.Mail;
import io.distributedlock.store.jdbc.MessageTable.Message;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

/**
 * What messages cost and leave behind in a database that is polled, and what comes of
 * those that are there in part.
 */
class MessagesTests {

	private final HikariDataSource pool = Databases.pool("jdbc:h2:mem:" + AttemptId.random(), 10);

	private final MessageTable table = new MessageTable(new TableNames(TableNames.DEFAULT));

	@BeforeEach
	void initialize() {
		Databases.initialize(this.pool);
	}

	@AfterEach
	void close() {
		this.pool.close();
	}

	private JdbcLockStore store(String instance) {
		return JdbcLockStore.builder(this.pool).name(instance).instanceId(instance).build();
	}

	private int rows() {
		try (Connection connection = this.pool.getConnection();
				Statement statement = connection.createStatement();
				ResultSet result = statement.executeQuery("SELECT COUNT(*) FROM distributed_lock_waiter")) {
			result.next();
			return result.getInt(1);
		}
		catch (SQLException ex) {
			throw new IllegalStateException(ex);
		}
	}

	private static boolean runs(String instance) {
		return Thread.getAllStackTraces()
			.keySet()
			.stream()
			.anyMatch((thread) -> thread.getName().equals("distributed-lock-" + instance + "-messages"));
	}

	@Test
	void aMessageToAJvmThatIsGoneIsRemovedByItsSender() {
		try (JdbcLockStore sender = store("sender")) {
			await().pollInterval(Duration.ofMillis(20)).until(() -> {
				sender.send("gone", "1p;" + "x".repeat(500));
				return rows() > 0;
			});
			await().until(() -> rows() == 0);
		}
	}

	@Test
	void messagesThatWereNotReadAreRemovedWhenTheirSenderIsClosed() throws Exception {
		try (Connection connection = this.pool.getConnection()) {
			this.table.insert(connection, List.of(new Message("gone", "of another sender")), 1, 2);
		}
		JdbcLockStore sender = store("sender");
		await().pollInterval(Duration.ofMillis(20)).until(() -> {
			sender.send("gone", "lost");
			return rows() > 1;
		});
		sender.close();
		await().until(() -> rows() == 1);
	}

	@Test
	void whoseSenderHasDiedTheyGoWithOldEntriesOfWaiters() throws Exception {
		try (JdbcLockStore store = JdbcLockStore.builder(this.pool).cleanUpAfter(Duration.ofSeconds(1)).build();
				Connection connection = this.pool.getConnection()) {
			this.table.insert(connection, List.of(new Message("gone", "1p;lost")), 1, 2);
			store.cleanUp();
			assertThat(rows()).isZero();
		}
	}

	@Test
	void nothingRunsForMessagesInAJvmWhoseCallersHoldNothingWhileTheyWait() throws Exception {
		try (LockEngine engine = LockEngine.builder().store(store("idle")).build();
				LockEngine other = LockEngine.builder().store(store("other")).build()) {
			LockRequest request = LockRequest.of("stock", 42).withWaitTime(Duration.ofMillis(300));
			Lease held = other.acquire(request);
			FutureTask<Boolean> waiter = new FutureTask<>(() -> engine.tryAcquire(request).isPresent());
			new Thread(waiter).start();
			assertThat(waiter.get(30, TimeUnit.SECONDS)).isFalse();
			assertThat(runs("idle")).isFalse();
			assertThat(runs("other")).isFalse();
			held.release();
		}
	}

	@Test
	void itIsPolledForMessagesAgainWhenSomeAreExpectedAgain() {
		Queue<String> came = new ConcurrentLinkedQueue<>();
		AtomicBoolean expects = new AtomicBoolean();
		try (JdbcLockStore sender = store("sender"); JdbcLockStore receiver = store("receiver")) {
			receiver.receiveMessages(new MessageReceiver() {
				@Override
				public void message(String message) {
					came.add(message);
				}

				@Override
				public boolean expectsMessages() {
					return expects.get();
				}
			});
			receiver.expectMessages();
			await().pollInterval(Duration.ofMillis(20)).until(() -> {
				sender.send("receiver", "too early");
				return rows() > 0;
			});
			assertThat(came).isEmpty();
			expects.set(true);
			receiver.expectMessages();
			await().pollInterval(Duration.ofMillis(20)).until(() -> {
				sender.send("receiver", "in time");
				return came.contains("in time");
			});
		}
	}

	@Test
	void aMessageOfWhichAPieceIsMissingWaitsForIt() throws Exception {
		String text = "0123456789".repeat(40);
		try (Connection connection = this.pool.getConnection()) {
			List<Object[]> rows = this.table.insert(connection,
					List.of(new Message("jvm", text), new Message("jvm", "short")), 1, 2);
			assertThat(rows).hasSizeGreaterThan(3);
			this.table.delete(connection, rows.subList(1, 2));
			Mail incomplete = this.table.read(connection, "jvm");
			assertThat(incomplete.texts()).containsExactly("short");
			this.table.delete(connection, incomplete.rows());
			LockTables.batch(connection, new ClaimTables(new TableNames(TableNames.DEFAULT)).insertWaiter(),
					List.<Object[]>of(new Object[] { "x", 1L, 2L, rows.get(1)[0], rows.get(1)[1] }));
			Mail complete = this.table.read(connection, "jvm");
			assertThat(complete.texts()).containsExactly(text);
			this.table.delete(connection, complete.rows());
			assertThat(rows()).isZero();
		}
	}

	@Test
	void messagesAreNotTakenForWaitersOrWords() throws Exception {
		try (JdbcLockStore store = store("jvm"); Connection connection = this.pool.getConnection()) {
			this.table.insert(connection, List.of(new Message("jvm", "1p;lost")), 1, Long.MAX_VALUE);
			assertThat(new LockTables(Dialect.H2, new TableNames(TableNames.DEFAULT)).readWord(connection, "jvm"))
				.isEmpty();
			assertThat(store.inspect(LockKey.of("stock"), Duration.ofSeconds(5)).toCompletableFuture().get()).isEmpty();
			assertThat(rows()).isOne();
		}
	}

}
