package io.distributedlock.store.jdbc;

import java.sql.SQLException;
import java.sql.SQLFeatureNotSupportedException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.IntFunction;

import javax.sql.DataSource;

import org.h2.jdbcx.JdbcDataSource;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

import io.distributedlock.LockKey;
import io.distributedlock.spi.AcquireReply.Granted;
import io.distributedlock.spi.AttemptId;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * Connections that refuse a network timeout.
 */
class NetworkTimeoutTests {

	private final JdbcDataSource source = new JdbcDataSource();

	private final AtomicInteger asked = new AtomicInteger();

	@BeforeEach
	void initialize() {
		this.source.setURL("jdbc:h2:mem:timeouts" + System.nanoTime() + ";DB_CLOSE_DELAY=-1");
		Databases.initialize(this.source);
	}

	@Test
	void aDriverThatSaysThatItHasNoneIsNotAskedAgain() {
		useFiveLocks((time) -> new SQLFeatureNotSupportedException("no timeouts"));
		assertThat(this.asked.get()).isBetween(1, 4);
	}

	@Test
	void aDriverThatIsOlderThanTheMethodIsNotAskedAgain() {
		useFiveLocks((time) -> new AbstractMethodError("setNetworkTimeout"));
		assertThat(this.asked.get()).isBetween(1, 4);
	}

	@Test
	void aDriverThatOnlySaysNoWorksWithoutAndIsAskedEachTime() {
		useFiveLocks((time) -> new SQLException("no"));
		assertThat(this.asked.get()).isGreaterThanOrEqualTo(10);
	}

	@Test
	void whatFailsOnceIsAskedForAgain() {
		useFiveLocks((time) -> (time == 1) ? new SQLException("not now") : null);
		// Set and restored by each command but the first.
		assertThat(this.asked.get()).isGreaterThanOrEqualTo(19);
	}

	private void useFiveLocks(IntFunction<@Nullable Throwable> failures) {
		try (StoreFixture fixture = StoreFixture.of(refusing(failures))) {
			for (int i = 0; i < 5; i++) {
				AttemptId attempt = AttemptId.random();
				assertThat(fixture.acquire(LockKey.of("stock", i), attempt)).isInstanceOf(Granted.class);
				fixture.release(LockKey.of("stock", i), attempt);
			}
		}
	}

	private DataSource refusing(IntFunction<@Nullable Throwable> failures) {
		return Proxies.connections(this.source, (connection, method, arguments) -> {
			Throwable failure = method.getName().equals("setNetworkTimeout")
					? failures.apply(this.asked.incrementAndGet()) : null;
			if (failure != null) {
				throw failure;
			}
			return method.invoke(connection, arguments);
		});
	}

}
