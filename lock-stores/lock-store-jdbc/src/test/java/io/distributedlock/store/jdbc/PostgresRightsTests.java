package io.distributedlock.store.jdbc;

import java.sql.Connection;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletionStage;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.postgresql.ds.PGSimpleDataSource;

import io.distributedlock.LockKey;
import io.distributedlock.spi.AcquireReply;
import io.distributedlock.spi.AcquireReply.Granted;
import io.distributedlock.spi.AcquireReply.Refused;
import io.distributedlock.spi.AttemptId;
import io.distributedlock.spi.ReleaseCommand;
import io.distributedlock.spi.ReleaseReply;
import io.distributedlock.spi.RenewCommand;
import io.distributedlock.spi.RenewReply;
import io.distributedlock.spi.Share;
import io.distributedlock.spi.SharedAcquireCommand;
import io.distributedlock.spi.StoreException;
import io.distributedlock.store.jdbc.server.PostgresServer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.awaitility.Awaitility.await;

/**
 * Users with few rights, and pools whose connections are set in unusual ways, on
 * PostgreSQL.
 */
class PostgresRightsTests {

	static PostgresServer server;

	static List<AutoCloseable> resources = new ArrayList<>();

	@BeforeAll
	static void start() {
		server = PostgresServer.start();
		Databases.initialize(server.dataSource());
		server.query("REVOKE CREATE ON SCHEMA public FROM PUBLIC");
		server.query("CREATE ROLE shop LOGIN PASSWORD 'secret'");
		server.query("CREATE ROLE reader LOGIN PASSWORD 'secret'");
		server.query("GRANT SELECT, INSERT, UPDATE, DELETE ON distributed_lock, distributed_lock_waiter,"
				+ " distributed_lock_claim TO shop");
		server.query("GRANT SELECT ON distributed_lock, distributed_lock_waiter, distributed_lock_claim TO reader");
	}

	@AfterAll
	static void stop() throws Exception {
		for (AutoCloseable resource : resources) {
			resource.close();
		}
		server.close();
	}

	private static HikariDataSource pool(String user, boolean autoCommit, String isolation) {
		PGSimpleDataSource source = new PGSimpleDataSource();
		source.setUrl(server.url());
		source.setUser(user);
		source.setPassword("secret");
		HikariConfig config = new HikariConfig();
		config.setDataSource(source);
		config.setMaximumPoolSize(6);
		config.setAutoCommit(autoCommit);
		config.setTransactionIsolation(isolation);
		HikariDataSource pool = new HikariDataSource(config);
		resources.add(pool);
		return pool;
	}

	private static StoreFixture store(HikariDataSource pool) {
		StoreFixture fixture = StoreFixture.of(pool);
		resources.add(0, fixture);
		return fixture;
	}

	@Test
	void aUserWhoMayReadAndWriteTheThreeTablesCanDoEverything() {
		StoreFixture one = store(pool("shop", true, "TRANSACTION_READ_COMMITTED"));
		StoreFixture two = store(pool("shop", true, "TRANSACTION_READ_COMMITTED"));
		assertThat(one.store.check()).isEmpty();
		useAll(one, two, LockKey.of("rights", 1));
		assertThat(one.store.cleanUp()).isGreaterThanOrEqualTo(0);
	}

	@Test
	void aUserWhoMayOnlyReadIsToldWhatToGrant() {
		StoreFixture reader = store(pool("reader", true, "TRANSACTION_READ_COMMITTED"));
		assertThatExceptionOfType(StoreException.class).isThrownBy(reader.store::check)
			.withMessageContaining("Grant SELECT, INSERT, UPDATE and DELETE")
			.withMessageContaining("permission denied for table distributed_lock");
		assertThatExceptionOfType(StoreException.class)
			.isThrownBy(() -> share(reader, LockKey.of("rights", 2), AttemptId.random(), Share.READERS))
			.withMessageContaining("Grant SELECT, INSERT, UPDATE and DELETE")
			.matches((ex) -> !ex.mayHaveExecuted() && !ex.isRetryable());
	}

	@Test
	void connectionsThatAreSerializableAndDoNotCommitByThemselvesAreUsedAndGivenBackAsTheyWere() throws Exception {
		HikariDataSource pool = pool("shop", false, "TRANSACTION_SERIALIZABLE");
		StoreFixture one = store(pool);
		StoreFixture two = store(pool("shop", false, "TRANSACTION_SERIALIZABLE"));
		assertThat(one.store.check()).isEmpty();
		useAll(one, two, LockKey.of("serializable", 1));
		LockKey key = LockKey.of("serializable", 2);
		for (int round = 0; round < 20; round++) {
			List<CompletionStage<AcquireReply>> asked = new ArrayList<>();
			List<AttemptId> attempts = new ArrayList<>();
			for (int i = 0; i < 8; i++) {
				attempts.add(AttemptId.random());
				StoreFixture of = (i % 2 == 0) ? one : two;
				asked.add(of.store.acquireShared(new SharedAcquireCommand(key, attempts.get(i), new Share.Permits(3),
						StoreFixture.TTL, false, StoreFixture.TIMEOUT)));
			}
			List<AcquireReply> replies = asked.stream().map(StoreFixture::get).toList();
			assertThat(replies).filteredOn(Granted.class::isInstance).hasSize(3);
			for (int i = 0; i < 8; i++) {
				if (replies.get(i) instanceof Granted) {
					StoreFixture of = (i % 2 == 0) ? one : two;
					assertThat(releaseShare(of, key, attempts.get(i))).isInstanceOf(ReleaseReply.Released.class);
				}
			}
		}
		try (Connection connection = pool.getConnection()) {
			assertThat(connection.getAutoCommit()).isFalse();
			assertThat(connection.getTransactionIsolation()).isEqualTo(Connection.TRANSACTION_SERIALIZABLE);
		}
	}

	private static void useAll(StoreFixture one, StoreFixture two, LockKey key) {
		AttemptId alone = AttemptId.random();
		assertThat(one.acquire(key, alone)).isInstanceOf(Granted.class);
		assertThat(one.renew(key, alone)).isEqualTo(RenewReply.RENEWED);
		AttemptId reader = AttemptId.random();
		assertThat(((Refused) share(two, key, reader, Share.READERS)).queued()).isTrue();
		assertThat(one.release(key, alone)).isEqualTo(new ReleaseReply.Released(true));
		await().until(() -> two.reserved.contains(reader));
		assertThat(share(two, key, reader, Share.READERS)).isInstanceOf(Granted.class);
		assertThat(StoreFixture
			.get(two.store.renewShared(List.of(new RenewCommand(key, reader, StoreFixture.TTL, StoreFixture.TIMEOUT)))))
			.containsExactly(RenewReply.RENEWED);
		AttemptId caller = AttemptId.random();
		assertThat(line(one, key, caller)).isInstanceOf(Refused.class);
		assertThat(releaseShare(two, key, reader)).isEqualTo(new ReleaseReply.Released(true));
		Granted granted = (Granted) line(one, key, caller);
		assertThat(StoreFixture.get(two.store.inspect(key, StoreFixture.TIMEOUT))).isPresent();
		assertThat(StoreFixture.get(two.store.forceRelease(key, granted.firstToken(), StoreFixture.TIMEOUT))).isTrue();
		assertThat(one.renew(key, caller)).isEqualTo(RenewReply.NOT_OWNER);
	}

	private static AcquireReply line(StoreFixture of, LockKey key, AttemptId attempt) {
		return StoreFixture
			.get(of.store.acquireInOrder(List.of(StoreFixture.command(key, attempt, StoreFixture.TIMEOUT))))
			.get(0);
	}

	private static AcquireReply share(StoreFixture of, LockKey key, AttemptId attempt, Share share) {
		return StoreFixture.get(of.store.acquireShared(
				new SharedAcquireCommand(key, attempt, share, StoreFixture.TTL, true, StoreFixture.TIMEOUT)));
	}

	private static ReleaseReply releaseShare(StoreFixture of, LockKey key, AttemptId attempt) {
		return StoreFixture
			.get(of.store.releaseShared(new ReleaseCommand(key, attempt, Duration.ZERO, StoreFixture.TIMEOUT)));
	}

}
