package io.distributedlock.store.jdbc;

import com.zaxxer.hikari.HikariDataSource;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;

import io.distributedlock.spi.LockStore;
import io.distributedlock.store.jdbc.server.PostgresServer;
import io.distributedlock.test.DeadlockContractTests;

/**
 * Deadlocks over JVMs that poll PostgreSQL.
 */
class DeadlockOnPolledPostgresTests extends DeadlockContractTests {

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
		return JdbcLockStore.builder(pool).instanceId(instance).listen(false).build();
	}

}
