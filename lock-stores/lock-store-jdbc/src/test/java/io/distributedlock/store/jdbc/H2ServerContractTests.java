package io.distributedlock.store.jdbc;

import java.nio.file.Path;
import java.sql.SQLException;

import com.zaxxer.hikari.HikariDataSource;
import org.h2.tools.Server;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.io.TempDir;

import io.distributedlock.spi.LockStore;
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
 * The contract of all stores, on an H2 server with a file.
 */
class H2ServerContractTests extends LockStoreContractTests implements QueueContractTests, SignalContractTests,
		MessageContractTests, InspectContractTests, InspectQueueContractTests, SharedContractTests,
		DowngradeContractTests, PermitContractTests, FairContractTests, MultiContractTests {

	@TempDir
	private static Path directory;

	private static Server server;

	private static HikariDataSource pool;

	@BeforeAll
	static void start() throws SQLException {
		server = Server.createTcpServer("-tcpPort", "0", "-ifNotExists", "-baseDir", directory.toString()).start();
		pool = Databases.pool("jdbc:h2:tcp://127.0.0.1:" + server.getPort() + "/./contract", 30);
		Databases.initialize(pool);
	}

	@AfterAll
	static void stop() {
		pool.close();
		server.stop();
	}

	@Override
	protected LockStore createStore(String instance) {
		return JdbcLockStore.builder(pool).instanceId(instance).build();
	}

}
