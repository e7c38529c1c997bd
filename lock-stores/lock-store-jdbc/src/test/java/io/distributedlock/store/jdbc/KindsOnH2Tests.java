package io.distributedlock.store.jdbc;

import com.zaxxer.hikari.HikariDataSource;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.parallel.Isolated;

import io.distributedlock.spi.LockStore;
import io.distributedlock.test.KindsContractTests;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * Every kind of lock, of three JVMs over one H2.
 */
@Isolated("many threads")
class KindsOnH2Tests extends KindsContractTests {

	private static final String URL = "jdbc:h2:mem:kinds";

	private static HikariDataSource pool;

	@BeforeAll
	static void start() {
		pool = Databases.pool(URL, 2);
		Databases.initialize(pool);
	}

	@AfterAll
	static void stop() {
		pool.close();
	}

	@Override
	protected LockStore createStore(String instance) {
		return JdbcLockStore.builder(closing(Databases.pool(URL, 10))).instanceId(instance).build();
	}

	@Override
	protected void assertNothingLeft() {
		assertThat(Databases.lockedKeys(pool)).isEmpty();
	}

}
