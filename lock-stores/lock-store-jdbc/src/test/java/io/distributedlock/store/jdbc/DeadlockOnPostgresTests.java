package io.distributedlock.store.jdbc;

import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;

import com.zaxxer.hikari.HikariDataSource;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

import io.distributedlock.spi.AttemptId;
import io.distributedlock.spi.LockStore;
import io.distributedlock.spi.SignallingLockStore.SignalReceiver;
import io.distributedlock.store.jdbc.server.PostgresServer;
import io.distributedlock.test.DeadlockContractTests;

import static org.awaitility.Awaitility.await;

/**
 * Deadlocks over JVMs that PostgreSQL notifies.
 */
class DeadlockOnPostgresTests extends DeadlockContractTests {

	private static PostgresServer server;

	private static HikariDataSource pool;

	@BeforeAll
	static void start() {
		server = PostgresServer.start();
		pool = Databases.pool(server.url(), 30);
		Databases.initialize(pool);
	}

	@AfterAll
	static void stop() {
		pool.close();
		server.close();
	}

	@Override
	protected LockStore createStore(String instance) {
		return JdbcLockStore.builder(pool).instanceId(instance).build();
	}

	@Test
	void messagesComeAgainAfterTheConnectionThatListensWasCut() {
		Queue<String> came = new ConcurrentLinkedQueue<>();
		try (JdbcLockStore sender = JdbcLockStore.builder(pool).instanceId("sender").build();
				JdbcLockStore receiver = JdbcLockStore.builder(pool).instanceId("receiver").build()) {
			receiver.receiveMessages(came::add);
			receiver.subscribe(new NoSignals());
			sender.subscribe(new NoSignals());
			await().until(() -> {
				sender.send("receiver", "before");
				return came.contains("before");
			});
			server.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'LISTEN%'");
			await().until(() -> {
				sender.send("receiver", "after");
				receiver.expectMessages();
				return came.contains("after");
			});
		}
		await().until(() -> server.query("SELECT 1 FROM distributed_lock_waiter WHERE lock_key LIKE '?%'").isEmpty());
	}

	/**
	 * What is signalled does not matter here.
	 */
	private static final class NoSignals implements SignalReceiver {

		@Override
		public void reserved(String keyId, AttemptId attempt) {
			throw new AssertionError(keyId);
		}

		@Override
		public void revoked(String keyId, AttemptId attempt) {
			throw new AssertionError(keyId);
		}

		@Override
		public void resumed() {
			// Expected: the connection was cut.
		}

	}

}
