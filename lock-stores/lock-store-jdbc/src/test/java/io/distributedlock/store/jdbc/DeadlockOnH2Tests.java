package io.distributedlock.store.jdbc;

import com.zaxxer.hikari.HikariDataSource;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;

import io.distributedlock.spi.LockStore;
import io.distributedlock.test.DeadlockContractTests;

/**
 * Deadlocks over JVMs that poll H2.
 */
class DeadlockOnH2Tests extends DeadlockContractTests {

	private static HikariDataSource pool;

	@BeforeAll
	static void start() {
		pool = Databases.pool("jdbc:h2:mem:deadlocks", 30);
		Databases.initialize(pool);
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
