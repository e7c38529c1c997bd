package io.distributedlock.store.jdbc.mariadb;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;

import com.zaxxer.hikari.HikariDataSource;
import org.junit.jupiter.api.parallel.ResourceLock;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import io.distributedlock.LockKey;
import io.distributedlock.spi.AcquireCommand;
import io.distributedlock.spi.AcquireReply.Granted;
import io.distributedlock.spi.AttemptId;
import io.distributedlock.spi.ReleaseCommand;
import io.distributedlock.spi.ReleaseReply;
import io.distributedlock.spi.RenewCommand;
import io.distributedlock.spi.RenewReply;
import io.distributedlock.spi.Share;
import io.distributedlock.spi.SharedAcquireCommand;
import io.distributedlock.store.jdbc.JdbcLockStore;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * A user who may read and write the three tables, and nothing else.
 */
@ResourceLock("whether users may write")
class RightsTests {

	private static final Duration TTL = Duration.ofSeconds(10);

	private static final Duration TIMEOUT = Duration.ofSeconds(5);

	@ParameterizedTest
	@ValueSource(strings = { "mariadb", "mysql" })
	void toReadAndWriteTheTablesIsAllThatTheUserNeeds(String driver) throws Exception {
		LockKey key = LockKey.of("rights", driver);
		AttemptId alone = AttemptId.random();
		AttemptId reader = AttemptId.random();
		try (HikariDataSource pool = MariaDbServer.shared().poolOfUserOfTables(driver);
				JdbcLockStore store = JdbcLockStore.builder(pool).build()) {
			assertThat(store.check()).isEmpty();
			assertThat(get(store.acquire(new AcquireCommand(key, alone, TTL, 1, false, TIMEOUT))))
				.isInstanceOf(Granted.class);
			assertThat(get(store.renew(List.of(new RenewCommand(key, alone, TTL, TIMEOUT)))))
				.containsExactly(RenewReply.RENEWED);
			assertThat(get(store.release(new ReleaseCommand(key, alone, Duration.ZERO, TIMEOUT))))
				.isEqualTo(new ReleaseReply.Released(false));
			assertThat(
					get(store.acquireShared(new SharedAcquireCommand(key, reader, Share.READERS, TTL, false, TIMEOUT))))
				.isInstanceOf(Granted.class);
			assertThat(get(store.releaseShared(new ReleaseCommand(key, reader, Duration.ZERO, TIMEOUT))))
				.isEqualTo(new ReleaseReply.Released(false));
		}
	}

	private static <T> T get(CompletionStage<T> stage) throws Exception {
		return stage.toCompletableFuture().get(20, TimeUnit.SECONDS);
	}

}
