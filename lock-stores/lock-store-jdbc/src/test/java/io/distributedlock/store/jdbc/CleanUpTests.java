package io.distributedlock.store.jdbc;

import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;

import org.h2.jdbcx.JdbcDataSource;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

import io.distributedlock.LockKey;
import io.distributedlock.spi.AcquireCommand;
import io.distributedlock.spi.AcquireReply.Granted;
import io.distributedlock.spi.AcquireReply.Refused;
import io.distributedlock.spi.AttemptId;
import io.distributedlock.spi.ReleaseReply;
import io.distributedlock.spi.RenewCommand;
import io.distributedlock.spi.RenewReply;
import io.distributedlock.spi.Share;
import io.distributedlock.spi.SharedAcquireCommand;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

/**
 * What is left of locks that nobody uses any more.
 */
class CleanUpTests {

	private final JdbcDataSource source = new JdbcDataSource();

	@BeforeEach
	void initialize() {
		this.source.setURL("jdbc:h2:mem:clean" + System.nanoTime() + ";DB_CLOSE_DELAY=-1");
		Databases.initialize(this.source);
	}

	private StoreFixture fixture() {
		return new StoreFixture(StoreFixture.builder(this.source).cleanUpAfter(Duration.ofSeconds(1)).build());
	}

	@Test
	void rowsOfLocksThatHaveBeenFreeForLongAreRemovedAndTokensRiseAllTheSame() {
		try (StoreFixture fixture = fixture()) {
			LockKey key = LockKey.of("stock", 42);
			long last = 0;
			for (int i = 0; i < 2; i++) {
				AttemptId attempt = AttemptId.random();
				Granted granted = (Granted) fixture.acquire(key, attempt);
				assertThat(granted.firstToken()).isGreaterThan(last);
				last = granted.firstToken();
				fixture.release(key, attempt);
				await().atMost(Duration.ofSeconds(10)).until(() -> {
					fixture.store.cleanUp();
					return rows() == 0;
				});
			}
		}
	}

	@Test
	void aLockThatIsHeldIsNeverRemoved() {
		try (StoreFixture fixture = fixture()) {
			LockKey held = LockKey.of("held");
			LockKey free = LockKey.of("free");
			AttemptId attempt = AttemptId.random();
			fixture.acquire(held, attempt);
			AttemptId other = AttemptId.random();
			fixture.acquire(free, other);
			fixture.release(free, other);
			await().atMost(Duration.ofSeconds(10)).until(() -> {
				fixture.store.cleanUp();
				return rows() == 1;
			});
			assertThat(fixture.renew(held, attempt)).isEqualTo(RenewReply.RENEWED);
		}
	}

	@Test
	void aRowWhoseTokensAreAheadOfTheClockStays() {
		try (StoreFixture fixture = fixture()) {
			LockKey key = LockKey.of("ahead");
			long ahead = 4_000_000_000_000_000L;
			Databases.execute(this.source,
					"INSERT INTO distributed_lock VALUES ('ahead', 'F', NULL, NULL, 0, " + ahead + ", 5, 0)");
			fixture.store.cleanUp();
			assertThat(((Granted) fixture.acquire(key, AttemptId.random())).firstToken()).isEqualTo(ahead + 1);
		}
	}

	@Test
	void aLockWhoseQueueHasAnEntryThatIsNotOldIsNotRemoved() {
		long soon = 4_000_000_000_000_000L;
		Databases.execute(this.source, "INSERT INTO distributed_lock VALUES ('waited', 'H', 'a', 'jvm-a', 1, 1, 5, 1)",
				"INSERT INTO distributed_lock_waiter VALUES ('waited', 'jvm-b', 'b', 5, " + soon + ")");
		try (StoreFixture fixture = fixture()) {
			assertThat(fixture.store.cleanUp()).isZero();
			assertThat(rows()).isOne();
			Databases.execute(this.source, "UPDATE distributed_lock_waiter SET expires_at = 6");
			assertThat(fixture.store.cleanUp()).isOne();
			assertThat(rows()).isZero();
		}
	}

	@Test
	void anEntryThatLostItsLockKeepsNobodyFromWaiting() {
		try (StoreFixture holder = StoreFixture.of(this.source); StoreFixture waiter = StoreFixture.of(this.source)) {
			LockKey key = LockKey.of("stock", 42);
			holder.acquire(key, AttemptId.random());
			assertThat(waiter.enqueue(key, AttemptId.random())).isInstanceOf(Refused.class);
			Databases.execute(this.source, "DELETE FROM distributed_lock");
			AttemptId second = AttemptId.random();
			holder.acquire(key, second);
			AttemptId next = AttemptId.random();
			assertThat(((Refused) waiter.enqueue(key, next)).queued()).isTrue();
			assertThat(holder.release(key, second)).isEqualTo(new ReleaseReply.Released(true));
			assertThat(waiter.enqueue(key, next)).isInstanceOf(Granted.class);
		}
	}

	@Test
	void sharesThatEndedLongAgoAreRemovedAndThoseThatLiveAreNot() {
		long soon = 4_000_000_000_000_000L;
		Databases.execute(this.source, "INSERT INTO distributed_lock VALUES ('dead', 'S', NULL, NULL, 0, 1, 5, 0)",
				"INSERT INTO distributed_lock_claim VALUES ('dead', 'a', 'jvm-a', 'R', 'H', 0, 1, 1, 5)",
				"INSERT INTO distributed_lock VALUES ('live', 'S', NULL, NULL, 0, 1, " + soon + ", 0)",
				"INSERT INTO distributed_lock_claim VALUES ('live', 'b', 'jvm-a', 'R', 'H', 0, 1, 1, 5)",
				"INSERT INTO distributed_lock_claim VALUES ('live', 'c', 'jvm-b', 'R', 'H', 0, 1, 1, " + soon + ")");
		try (StoreFixture fixture = fixture()) {
			assertThat(fixture.store.cleanUp()).isOne();
			assertThat(rows()).isOne();
			assertThat(fixture.acquire(LockKey.of("live"), AttemptId.random())).isInstanceOf(Refused.class);
		}
	}

	@Test
	void aShareThatLostItsLockDoesNotLiveAgain() {
		long soon = 4_000_000_000_000_000L;
		LockKey key = LockKey.of("lost");
		AttemptId lost = AttemptId.random();
		Databases.execute(this.source, "INSERT INTO distributed_lock_claim VALUES ('lost', '" + lost
				+ "', 'jvm-a', 'R', 'H', 0, 1, 1, " + soon + ")");
		try (StoreFixture fixture = fixture()) {
			AttemptId reader = AttemptId.random();
			assertThat(StoreFixture.get(fixture.store.acquireShared(new SharedAcquireCommand(key, reader, Share.READERS,
					StoreFixture.TTL, false, StoreFixture.TIMEOUT))))
				.isInstanceOf(Granted.class);
			assertThat(StoreFixture.get(fixture.store
				.renewShared(List.of(new RenewCommand(key, lost, StoreFixture.TTL, StoreFixture.TIMEOUT),
						new RenewCommand(key, reader, StoreFixture.TTL, StoreFixture.TIMEOUT)))))
				.containsExactly(RenewReply.NOT_OWNER, RenewReply.RENEWED);
		}
	}

	@Test
	void aPlaceThatAJvmOfAnOlderVersionOverlookedIsTakenAgain() {
		try (StoreFixture holder = StoreFixture.of(this.source); StoreFixture waiter = StoreFixture.of(this.source)) {
			LockKey key = LockKey.of("stock", 42);
			AttemptId held = AttemptId.random();
			holder.acquire(key, held);
			List<AcquireCommand> fair = List.of(StoreFixture.command(key, AttemptId.random(), StoreFixture.TIMEOUT));
			assertThat(StoreFixture.get(waiter.store.acquireInOrder(fair)).get(0)).isInstanceOf(Refused.class);
			Databases.execute(this.source, "UPDATE distributed_lock SET waited = 0");
			assertThat(StoreFixture.get(waiter.store.acquireInOrder(fair)).get(0)).isInstanceOf(Refused.class);
			assertThat(holder.release(key, held)).isEqualTo(new ReleaseReply.Released(true));
			assertThat(StoreFixture.get(waiter.store.acquireInOrder(fair)).get(0)).isInstanceOf(Granted.class);
		}
	}

	@Test
	void itHappensByItself() {
		try (StoreFixture fixture = fixture()) {
			LockKey key = LockKey.of("stock", 42);
			AttemptId attempt = AttemptId.random();
			fixture.acquire(key, attempt);
			fixture.release(key, attempt);
			await().atMost(Duration.ofSeconds(10)).until(() -> rows() == 0);
		}
	}

	private int rows() {
		try (Connection connection = this.source.getConnection();
				ResultSet result = connection.createStatement().executeQuery("SELECT COUNT(*) FROM distributed_lock")) {
			result.next();
			return result.getInt(1);
		}
		catch (SQLException ex) {
			throw new IllegalStateException(ex);
		}
	}

}
