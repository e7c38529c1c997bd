package io.distributedlock.store.jdbc.mariadb;

import java.time.Duration;

import com.zaxxer.hikari.HikariDataSource;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import io.distributedlock.LockKey;
import io.distributedlock.spi.AcquireReply.Granted;
import io.distributedlock.spi.AcquireReply.Refused;
import io.distributedlock.spi.AttemptId;
import io.distributedlock.spi.ReleaseReply;
import io.distributedlock.spi.RenewReply;
import io.distributedlock.store.jdbc.JdbcLockStore;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * What drivers are told to count, and how they join statements, makes no difference.
 */
class RowCountsTests {

	@ParameterizedTest
	@CsvSource({ "mariadb, &useAffectedRows=true", "mariadb, &useAffectedRows=false", "mariadb, &useBulkStmts=true",
			"mysql, &useAffectedRows=true", "mysql, &useAffectedRows=false", "mysql, &rewriteBatchedStatements=true" })
	void aLockGoesFromOneToTheNext(String driver, String options) {
		try (HikariDataSource pool = MariaDbServer.shared().pool(driver, options);
				Commands first = new Commands(JdbcLockStore.builder(pool).build(), Duration.ofSeconds(5));
				Commands second = new Commands(JdbcLockStore.builder(pool).build(), Duration.ofSeconds(5))) {
			LockKey key = LockKey.of("stock", 42);
			long last = 0;
			for (int i = 0; i < 3; i++) {
				AttemptId holder = AttemptId.random();
				AttemptId waiter = AttemptId.random();
				Granted granted = (Granted) first.acquire(key, holder);
				assertThat(granted.firstToken()).isGreaterThan(last);
				assertThat(first.acquire(key, holder)).isEqualTo(granted);
				for (int j = 0; j < 3; j++) {
					assertThat(first.renew(key, holder)).isEqualTo(RenewReply.RENEWED);
					assertThat(second.enqueue(key, waiter)).isInstanceOf(Refused.class);
				}
				assertThat(first.release(key, holder)).isEqualTo(new ReleaseReply.Released(true));
				last = ((Granted) second.enqueue(key, waiter)).firstToken();
				assertThat(second.release(key, waiter)).isEqualTo(new ReleaseReply.Released(false));
			}
		}
	}

}
