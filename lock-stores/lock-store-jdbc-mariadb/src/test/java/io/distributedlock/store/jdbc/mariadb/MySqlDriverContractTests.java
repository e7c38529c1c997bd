package io.distributedlock.store.jdbc.mariadb;

import com.zaxxer.hikari.HikariDataSource;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;

import io.distributedlock.spi.LockStore;
import io.distributedlock.store.jdbc.JdbcLockStore;
import io.distributedlock.test.DowngradeContractTests;
import io.distributedlock.test.FairContractTests;
import io.distributedlock.test.InspectContractTests;
import io.distributedlock.test.InspectQueueContractTests;
import io.distributedlock.test.LockStoreContractTests;
import io.distributedlock.test.MessageContractTests;
import io.distributedlock.test.MultiContractTests;
import io.distributedlock.test.PermitContractTests;
import io.distributedlock.test.QueueContractTests;
import io.distributedlock.test.SharedContractTests;
import io.distributedlock.test.SignalContractTests;

/**
 * The contract of all stores, with MySQL's driver and dialect. The server is MariaDB.
 */
class MySqlDriverContractTests extends LockStoreContractTests implements QueueContractTests, SignalContractTests,
		MessageContractTests, InspectContractTests, InspectQueueContractTests, SharedContractTests,
		DowngradeContractTests, PermitContractTests, FairContractTests, MultiContractTests {

	private static HikariDataSource pool;

	@BeforeAll
	static void start() {
		pool = MariaDbServer.shared().pool("mysql");
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
