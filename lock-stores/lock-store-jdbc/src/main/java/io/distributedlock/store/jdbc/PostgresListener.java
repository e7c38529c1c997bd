package io.distributedlock.store.jdbc;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.HexFormat;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;

import javax.sql.DataSource;

import org.jspecify.annotations.Nullable;
import org.postgresql.PGConnection;
import org.postgresql.PGNotification;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import io.distributedlock.store.jdbc.MessageTable.Message;

/**
 * Listens on the channel of this JVM, on one connection that it keeps. When that breaks
 * it connects again, and says that signals may have been lost; meanwhile the
 * {@link Poller} asks.
 * <p>
 * A pool with a single connection must not be emptied for this: after it has its
 * connection, it makes sure that there is another one, and otherwise gives it back and
 * leaves signals to the poller. While it looks, nobody has the only connection: it is
 * patient only at the start, and looks again less and less often, since the pool may only
 * have been busy.
 */
final class PostgresListener implements AutoCloseable {

	private static final Logger logger = LoggerFactory.getLogger(PostgresListener.class);

	private static final Duration RECONNECT = Duration.ofMillis(300);

	private static final Duration RECONSIDER = Duration.ofSeconds(30);

	private static final Duration SELDOM = Duration.ofHours(1);

	private static final Duration IMPATIENT = Duration.ofMillis(100);

	/** After this time without a signal the connection is checked. */
	private static final Duration QUIET = Duration.ofSeconds(5);

	/** What messages of other JVMs begin with, unlike signals. */
	private static final String MESSAGE = "m";

	private final DataSource source;

	private final String channel;

	private final Signals signals;

	private final String address;

	private final Duration timeout;

	private final Duration reconsider;

	private final Thread thread;

	private final CountDownLatch settled = new CountDownLatch(1);

	private volatile boolean listening;

	private volatile boolean closed;

	private volatile @Nullable Connection current;

	private volatile @Nullable String trouble;

	private boolean before;

	private int refusals;

	PostgresListener(DataSource source, TableNames names, Signals signals, StoreSettings settings, String address) {
		this(source, names, signals, settings, address, RECONSIDER);
	}

	/**
	 * Makes the listener.
	 * @param reconsider when it looks again after it found no connection to spare
	 */
	PostgresListener(DataSource source, TableNames names, Signals signals, StoreSettings settings, String address,
			Duration reconsider) {
		this.source = source;
		this.channel = channel(names, settings.instanceId());
		this.signals = signals;
		this.address = address;
		this.timeout = settings.commandTimeout();
		this.reconsider = reconsider;
		this.thread = new Thread(this::run, "distributed-lock-" + settings.name() + "-listen");
		this.thread.setDaemon(true);
	}

	/**
	 * Names of channels are short, so that this is a hash.
	 */
	private static String channel(TableNames names, String instance) {
		try {
			byte[] digest = MessageDigest.getInstance("SHA-256")
				.digest((names.locks() + ":" + instance).getBytes(StandardCharsets.UTF_8));
			return "lock_" + HexFormat.of().formatHex(digest, 0, 20);
		}
		catch (NoSuchAlgorithmException ex) {
			throw new IllegalStateException("Every Java platform has SHA-256", ex);
		}
	}

	/**
	 * Puts signals into a transaction; they go out when it is committed.
	 */
	static void send(Connection connection, TableNames names, List<Signal> signals) throws SQLException {
		send(connection, signals.stream().map((signal) -> channel(names, signal.instance())).toArray(),
				signals.stream().map((signal) -> signal.kind() + signal.attempt() + signal.key()).toArray());
	}

	/**
	 * Sends messages of JVMs to each other. Versions that know none ignore them.
	 */
	static void sendMessages(Connection connection, TableNames names, List<Message> messages) throws SQLException {
		send(connection, messages.stream().map((message) -> channel(names, message.instance())).toArray(),
				messages.stream().map((message) -> MESSAGE + message.text()).toArray());
	}

	private static void send(Connection connection, Object[] channels, Object[] texts) throws SQLException {
		try (PreparedStatement statement = connection
			.prepareStatement("SELECT pg_notify(c, m) FROM unnest(?::VARCHAR[], ?::VARCHAR[]) AS s (c, m)")) {
			statement.setArray(1, connection.createArrayOf("varchar", channels));
			statement.setArray(2, connection.createArrayOf("varchar", texts));
			statement.execute();
		}
	}

	/**
	 * Starts, and waits until it is known whether signals arrive.
	 */
	void start() {
		this.thread.start();
		try {
			if (!this.settled.await(this.timeout.toMillis(), TimeUnit.MILLISECONDS)) {
				logger.debug("LISTEN takes its time; waiters are polled for until it is confirmed");
			}
		}
		catch (InterruptedException ex) {
			Thread.currentThread().interrupt();
		}
	}

	boolean isListening() {
		return this.listening;
	}

	/** Why signals have to be polled for, null if they do not. */
	@Nullable String trouble() {
		return this.trouble;
	}

	private void run() {
		boolean told = false;
		while (!this.closed) {
			Duration pause = RECONNECT;
			try {
				if (listen()) {
					told = false;
				}
				else {
					pause = pauseAfterRefusal();
				}
			}
			catch (SQLException | RuntimeException | LinkageError ex) {
				if (!this.closed && !told) {
					told = true;
					this.trouble = "No LISTEN at " + this.address + ": waiters are polled for. " + ex.getMessage();
					logger.warn("{}", this.trouble);
				}
			}
			this.listening = false;
			this.settled.countDown();
			if (!this.closed) {
				LockSupport.parkNanos(this, pause.toNanos());
			}
		}
	}

	private Duration pauseAfterRefusal() {
		this.trouble = "The pool at " + this.address + " has no connection to spare for LISTEN: waiters are"
				+ " polled for. Give the pool two connections or more, or set distributed-lock.jdbc.listen=false.";
		if (this.refusals == 0) {
			logger.warn("{}", this.trouble);
		}
		Duration pause = this.reconsider.multipliedBy(1L << Math.min(this.refusals, 10));
		this.refusals++;
		return (pause.compareTo(SELDOM) < 0) ? pause : SELDOM;
	}

	/**
	 * Listens until the connection breaks.
	 * @return false if there is none to spare
	 */
	private boolean listen() throws SQLException {
		Connection connection = this.source.getConnection();
		this.current = connection;
		try {
			if (!hasAnother()) {
				return false;
			}
			boolean autoCommit = connection.getAutoCommit();
			connection.setAutoCommit(true);
			PGConnection driver = connection.unwrap(PGConnection.class);
			execute(connection, "LISTEN " + this.channel);
			subscribed();
			try {
				while (!this.closed) {
					receive(connection, driver);
				}
			}
			finally {
				this.listening = false;
			}
			execute(connection, "UNLISTEN " + this.channel);
			connection.setAutoCommit(autoCommit);
			return true;
		}
		catch (SQLException | RuntimeException ex) {
			abort(connection);
			throw ex;
		}
		finally {
			this.current = null;
			connection.close();
		}
	}

	private void subscribed() {
		this.trouble = null;
		this.refusals = 0;
		this.listening = true;
		this.settled.countDown();
		// The first time nothing can have been lost: all before asks again by itself.
		if (this.before) {
			this.signals.resumed();
		}
		this.before = true;
	}

	private void receive(Connection connection, PGConnection driver) throws SQLException {
		PGNotification[] notifications = driver.getNotifications((int) QUIET.toMillis());
		if (notifications == null || notifications.length == 0) {
			if (!this.closed && !connection.isValid((int) Math.max(1, this.timeout.toSeconds()))) {
				throw new SQLException("The connection that listens is dead", "08006");
			}
			return;
		}
		for (PGNotification notification : notifications) {
			String message = notification.getParameter();
			if (message.startsWith(MESSAGE)) {
				this.signals.message(message.substring(MESSAGE.length()));
				continue;
			}
			if (message.length() < 24) {
				continue;
			}
			String attempt = message.substring(1, 23);
			switch (message.charAt(0)) {
				case Signal.RESERVED -> this.signals.reserved(message.substring(23), attempt);
				case Signal.REVOKED -> this.signals.revoked(attempt);
				default -> logger.debug("Ignored a signal that this version does not know: {}", message);
			}
		}
	}

	/**
	 * Tries, on another thread, since it may take as long as the pool's patience: which
	 * ends as soon as this one's connection comes back.
	 */
	private boolean hasAnother() {
		AtomicBoolean there = new AtomicBoolean();
		CountDownLatch done = new CountDownLatch(1);
		Thread probe = new Thread(() -> {
			try (Connection other = this.source.getConnection()) {
				there.set(!other.isClosed());
			}
			catch (SQLException | RuntimeException ex) {
				logger.debug("No second connection", ex);
			}
			finally {
				done.countDown();
			}
		}, this.thread.getName() + "-probe");
		probe.setDaemon(true);
		probe.start();
		try {
			long patience = (this.refusals == 0) ? this.timeout.toMillis() : IMPATIENT.toMillis();
			return done.await(patience, TimeUnit.MILLISECONDS) && there.get();
		}
		catch (InterruptedException ex) {
			Thread.currentThread().interrupt();
			return false;
		}
	}

	private static void execute(Connection connection, String sql) throws SQLException {
		try (Statement statement = connection.createStatement()) {
			statement.execute(sql);
		}
	}

	private static void abort(Connection connection) {
		try {
			connection.abort(Runnable::run);
		}
		catch (SQLException | RuntimeException ex) {
			logger.debug("The connection that listened could not be cut", ex);
		}
	}

	/**
	 * Wakes the thread with a message of its own, so that the connection goes back in one
	 * piece; only if that does not help is it cut.
	 */
	@Override
	public void close() {
		this.closed = true;
		LockSupport.unpark(this.thread);
		Connection connection = this.current;
		if (connection != null) {
			Thread waker = new Thread(this::wakeUp, this.thread.getName() + "-end");
			waker.setDaemon(true);
			waker.start();
		}
		try {
			this.thread.join(500);
		}
		catch (InterruptedException ex) {
			Thread.currentThread().interrupt();
		}
		if (connection != null && this.thread.isAlive()) {
			abort(connection);
		}
	}

	private void wakeUp() {
		try (Connection other = this.source.getConnection();
				PreparedStatement statement = other.prepareStatement("SELECT pg_notify(?, '')")) {
			statement.setString(1, this.channel);
			statement.execute();
			if (!other.getAutoCommit()) {
				other.commit();
			}
		}
		catch (SQLException | RuntimeException ex) {
			logger.debug("The thread that listens could not be woken", ex);
		}
	}

}
