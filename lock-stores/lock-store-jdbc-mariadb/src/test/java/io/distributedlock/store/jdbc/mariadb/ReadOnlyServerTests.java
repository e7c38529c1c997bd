package io.distributedlock.store.jdbc.mariadb;

import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;

import javax.sql.DataSource;

import com.zaxxer.hikari.HikariDataSource;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.parallel.ResourceLock;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import io.distributedlock.LockKey;
import io.distributedlock.spi.AcquireReply.Granted;
import io.distributedlock.spi.AttemptId;
import io.distributedlock.spi.ReleaseReply;
import io.distributedlock.spi.RenewReply;
import io.distributedlock.spi.StoreException;
import io.distributedlock.store.jdbc.JdbcLockStore;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

/**
 * A server that was the primary and is none any more. The tests that run at the same time
 * have the right to write all the same.
 */
@ResourceLock("whether users may write")
class ReadOnlyServerTests {

	/** Long enough for a new connection on a busy machine. */
	private static final Duration TIMEOUT = Duration.ofSeconds(5);

	private final LockKey key = LockKey.of("stock", AttemptId.random().toString());

	@AfterEach
	void writable() {
		readOnly(false);
	}

	@ParameterizedTest
	@ValueSource(strings = { "mariadb", "mysql" })
	void isAnOutageWhateverItIsAskedAndItsConnectionsAreGivenUp(String driver) throws SQLException {
		try (HikariDataSource pool = MariaDbServer.shared().poolWithoutRights(driver);
				Commands commands = new Commands(JdbcLockStore.builder(pool).commandTimeout(TIMEOUT).build(),
						TIMEOUT)) {
			AttemptId holder = AttemptId.random();
			assertThat(commands.acquire(this.key, holder)).isInstanceOf(Granted.class);
			long connection = connection(pool);
			readOnly(true);
			AttemptId other = AttemptId.random();
			assertReadOnly(() -> commands.acquire(this.key, other));
			assertThat(connection(pool)).isNotEqualTo(connection);
			assertReadOnly(() -> commands.release(this.key, other));
			assertReadOnly(() -> commands.release(this.key, holder));
			assertThat(commands.renew(this.key, other)).isInstanceOf(RenewReply.Failed.class);
			assertThat(commands.renew(this.key, holder)).isInstanceOf(RenewReply.Failed.class);
			assertReadOnly(() -> commands.acquire(LockKey.of("new", this.key.parts().get(0)), other));
			assertReadOnly(commands.store::check);
			readOnly(false);
			assertThat(commands.renew(this.key, other)).isEqualTo(RenewReply.NOT_OWNER);
			assertThat(commands.release(this.key, holder)).isEqualTo(new ReleaseReply.Released(false));
		}
	}

	@ParameterizedTest
	@ValueSource(strings = { "mariadb", "mysql" })
	void saysNothingAboutGrantsAlsoIfItLocksRows(String driver) {
		try (HikariDataSource pool = MariaDbServer.shared().poolWithoutRights(driver);
				Commands commands = new Commands(
						JdbcLockStore.builder(withoutRowLocks(pool)).commandTimeout(TIMEOUT).build(), TIMEOUT)) {
			AttemptId holder = AttemptId.random();
			commands.acquire(this.key, holder);
			readOnly(true);
			AttemptId other = AttemptId.random();
			assertReadOnly(() -> commands.acquire(this.key, other));
			assertReadOnly(() -> commands.release(this.key, other));
			assertThat(commands.renew(this.key, other)).isInstanceOf(RenewReply.Failed.class);
		}
	}

	@ParameterizedTest
	@ValueSource(strings = { "mariadb", "mysql" })
	void isNoneForThoseWhoMayWriteToIt(String driver) {
		try (HikariDataSource pool = MariaDbServer.shared().pool(driver);
				Commands commands = new Commands(JdbcLockStore.builder(pool).commandTimeout(TIMEOUT).build(),
						TIMEOUT)) {
			readOnly(true);
			AttemptId holder = AttemptId.random();
			assertThat(commands.acquire(this.key, holder)).isInstanceOf(Granted.class);
			assertThat(commands.renew(this.key, AttemptId.random())).isEqualTo(RenewReply.NOT_OWNER);
			assertThat(commands.release(this.key, holder)).isEqualTo(new ReleaseReply.Released(false));
		}
	}

	private static void assertReadOnly(Runnable command) {
		assertThatExceptionOfType(StoreException.class).isThrownBy(command::run)
			.withMessageContaining("takes no writes")
			.matches((ex) -> ex.isRetryable() && !ex.mayHaveExecuted());
	}

	private static void readOnly(boolean readOnly) {
		MariaDbServer.shared().execute("SET GLOBAL read_only = " + (readOnly ? 1 : 0));
	}

	/** The only idle connection of a pool. */
	private static long connection(HikariDataSource pool) throws SQLException {
		try (Connection connection = pool.getConnection();
				Statement statement = connection.createStatement();
				ResultSet result = statement.executeQuery("SELECT CONNECTION_ID()")) {
			result.next();
			return result.getLong(1);
		}
	}

	/** MariaDB refuses to lock rows too; here that seems to go well. */
	private static DataSource withoutRowLocks(DataSource source) {
		return Proxies.connections(source, (connection, method, arguments) -> {
			if (method.getName().equals("prepareStatement")) {
				arguments[0] = ((String) arguments[0]).replaceAll("FOR UPDATE( SKIP LOCKED)?", "");
			}
			return method.invoke(connection, arguments);
		});
	}

}
