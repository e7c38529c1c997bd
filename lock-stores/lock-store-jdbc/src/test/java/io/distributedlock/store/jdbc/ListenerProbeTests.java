package io.distributedlock.store.jdbc;

import java.sql.Connection;
import java.sql.SQLTransientConnectionException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;

import javax.sql.DataSource;

import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

/**
 * A pool whose only connection locks need for themselves.
 */
class ListenerProbeTests {

	private static final Duration TIMEOUT = Duration.ofSeconds(2);

	private final Semaphore connections = new Semaphore(1);

	/** How long the connection was away, each time. */
	private final List<Duration> away = new CopyOnWriteArrayList<>();

	@Test
	void itIsTakenForMomentsOnlyAndLessAndLessOften() {
		StoreSettings settings = new StoreSettings("jdbc", "jvm", TIMEOUT, TIMEOUT, TIMEOUT, 1, TIMEOUT);
		TableNames names = new TableNames(TableNames.DEFAULT);
		Signals signals = new Signals(new LockTables(Dialect.POSTGRESQL, names), TIMEOUT);
		try (PostgresListener listener = new PostgresListener(pool(), names, signals, settings, "here",
				Duration.ofMillis(10))) {
			listener.start();
			await().atMost(Duration.ofSeconds(20)).until(() -> this.away.stream().filter(this::isALook).count() >= 4);
			assertThat(listener.isListening()).isFalse();
			assertThat(listener.trouble()).contains("no connection to spare for LISTEN")
				.contains("distributed-lock.jdbc.listen=false");
		}
		// The first time nobody uses locks yet.
		List<Duration> looks = this.away.stream().filter(this::isALook).skip(1).toList();
		assertThat(looks).allMatch((time) -> time.compareTo(TIMEOUT.dividedBy(2)) < 0);
	}

	/** And not the probe's own, which gives the connection back at once. */
	private boolean isALook(Duration time) {
		return time.toMillis() >= 50;
	}

	private DataSource pool() {
		return Proxies.of(DataSource.class, (method, arguments) -> {
			if (!this.connections.tryAcquire(10, TimeUnit.SECONDS)) {
				throw new SQLTransientConnectionException("The pool is empty");
			}
			long since = System.nanoTime();
			return Proxies.of(Connection.class, (called, values) -> {
				if (called.getName().equals("close")) {
					this.away.add(Duration.ofNanos(System.nanoTime() - since));
					this.connections.release();
				}
				return called.getName().equals("isClosed") ? false : null;
			});
		});
	}

}
