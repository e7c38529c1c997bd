package io.distributedlock.store.jdbc.mariadb;

import com.zaxxer.hikari.HikariDataSource;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;

import io.distributedlock.spi.LockStore;
import io.distributedlock.store.jdbc.JdbcLockStore;
import io.distributedlock.test.DeadlockContractTests;

/**
 * Deadlocks over JVMs that poll MariaDB.
 */
class DeadlockOnMariaDbTests extends DeadlockContractTests {

	private static HikariDataSource pool;

	@BeforeAll
	static void start() {
		pool = MariaDbServer.shared().pool("mariadb");
	}

	@AfterAll
	static void stop() {
		pool.close();
	}

	@Override
	protected LockStore createStore(String instance) {
		return JdbcLockStore.builder(pool).instanceId(instance).build();
	}

}
