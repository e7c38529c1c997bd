package io.distributedlock.store.jdbc;

import java.util.ArrayList;
import java.util.List;

import com.zaxxer.hikari.HikariDataSource;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.Isolated;

import io.distributedlock.Lease;
import io.distributedlock.LockOutcome;
import io.distributedlock.LockRequest;
import io.distributedlock.spi.LockStore;
import io.distributedlock.store.jdbc.server.PostgresServer;
import io.distributedlock.test.KindsContractTests;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * Every kind of lock, of three JVMs over one PostgreSQL.
 */
@Isolated("many threads")
class KindsOnPostgresTests extends KindsContractTests {

	private static PostgresServer server;

	private static HikariDataSource pool;

	@BeforeAll
	static void start() {
		server = PostgresServer.start();
		pool = Databases.pool(server.url(), 2);
		Databases.initialize(pool);
	}

	@AfterAll
	static void stop() {
		pool.close();
		server.close();
	}

	@Override
	protected LockStore createStore(String instance) {
		return JdbcLockStore.builder(closing(Databases.pool(server.url(), 10))).instanceId(instance).build();
	}

	@Override
	protected void assertNothingLeft() {
		assertThat(Databases.lockedKeys(pool)).isEmpty();
		assertThat(server.query("SELECT deadlocks FROM pg_stat_database WHERE datname = 'postgres'"))
			.containsExactly("0");
	}

	@Test
	void aBatchOfManyLocksIsGrantedAndGivenBack() throws Exception {
		List<LockRequest> jobs = new ArrayList<>();
		for (int i = 0; i < 500; i++) {
			jobs.add(LockRequest.of("job", i));
		}
		Lease other = jvm(1).acquire(jobs.get(250));
		List<LockOutcome> outcomes = jvm(0).tryAcquireEach(jobs);
		List<Lease> mine = outcomes.stream().flatMap((outcome) -> outcome.lease().stream()).toList();
		assertThat(mine).hasSize(499).allMatch(Lease::isHeld);
		assertThat(outcomes.get(250)).isInstanceOf(LockOutcome.Refused.class);
		assertThat(jvm(0).releaseAll(mine)).isTrue();
		other.close();
		all(List.of());
	}

}
