package io.distributedlock.store.jdbc.mariadb;

import com.zaxxer.hikari.HikariDataSource;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.parallel.Isolated;

import io.distributedlock.spi.LockStore;
import io.distributedlock.store.jdbc.JdbcLockStore;
import io.distributedlock.test.KindsContractTests;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * Every kind of lock, of three JVMs over one MariaDB.
 */
@Isolated("many threads")
class KindsOnMariaDbTests extends KindsContractTests {

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
		return JdbcLockStore.builder(closing(MariaDbServer.poolLike(pool))).instanceId(instance).build();
	}

	@Override
	protected void assertNothingLeft() {
		assertThat(MariaDbServer.lockedKeys(pool)).isEmpty();
	}

}
