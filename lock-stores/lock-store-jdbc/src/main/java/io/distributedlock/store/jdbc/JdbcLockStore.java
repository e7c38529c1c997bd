package io.distributedlock.store.jdbc;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;

import javax.sql.DataSource;

import org.jspecify.annotations.Nullable;

import io.distributedlock.spi.MessagingLockStore;
import io.distributedlock.spi.SignallingLockStore;
import io.distributedlock.spi.StoreException;
import io.distributedlock.spi.StoreOptions;

/**
 * Locks in a relational database: PostgreSQL 12 or later, MySQL 8, MariaDB 10.6, H2
 * 2.3.230, Oracle 19 or SQL Server 2016. (The statements for Oracle and SQL Server were
 * written by their manuals and have not been run on such a server.)
 * <p>
 * All commands run on threads of this store, each in a short transaction of its own on a
 * connection of its own. A transaction that the caller has open is not touched: if it is
 * rolled back, the lock stays as it is. No connection is held while a lock is held.
 * <p>
 * Time is that of the database; what the clocks of the application's hosts show does not
 * matter.
 * <p>
 * Safe for use by many threads. Close it when done; the {@link DataSource} stays open.
 */
public final class JdbcLockStore extends JdbcCommands implements SignallingLockStore, MessagingLockStore {

	private final StoreSettings settings;

	private final String address;

	private final Dialect dialect;

	private final ServerClock clock = new ServerClock();

	private final Signals signals;

	private final Dispatcher dispatcher;

	private final Poller poller;

	private final @Nullable PostgresListener listener;

	private final Messages messages;

	private final CleanUp cleanUp;

	private final StartupChecks checks;

	private final AtomicBoolean closed = new AtomicBoolean();

	private JdbcLockStore(Builder builder, StoreSettings settings, Database database) {
		Session.Settings sessions = database.sessions();
		this.settings = settings;
		this.dialect = database.dialect();
		this.address = database.address();
		DataSource source = builder.source;
		LockTables tables = new LockTables(this.dialect, builder.tables);
		this.signals = new Signals(tables, settings.queueEntryTtl());
		LockTransaction transaction = new LockTransaction(tables, this.clock, settings, this.signals);
		FastPath fast = database.joinsStatements()
				? new PostgresFastPath(builder.tables, this.clock, settings.instanceId()) : null;
		this.dispatcher = new Dispatcher(source, sessions, this.address, this.dialect, transaction, fast, settings);
		PostgresListener listener = (this.dialect == Dialect.POSTGRESQL && builder.listen)
				? new PostgresListener(source, builder.tables, this.signals, settings, this.address) : null;
		this.listener = listener;
		this.poller = new Poller(source, sessions, tables, this.signals, settings,
				() -> listener != null && listener.isListening());
		this.messages = new Messages(source, sessions, tables, this.clock, settings,
				() -> listener != null && listener.isListening());
		this.signals.messages(this.messages::received);
		this.cleanUp = new CleanUp(source, sessions, tables, settings);
		this.checks = new StartupChecks(source, sessions, tables, this.address, settings);
		this.dispatcher.start();
		this.cleanUp.start();
	}

	/**
	 * Starts to configure a store.
	 * @param source where connections come from: a pool, with two or more to spare
	 * @return a builder with the defaults
	 */
	public static Builder builder(DataSource source) {
		return new Builder(source);
	}

	/**
	 * Returns the statements that make the tables, each of which does nothing if its
	 * table is there.
	 * @param source the database that they are for
	 * @param table name of the table of locks, as {@link Builder#table(String)}
	 * @return statements of the database's own dialect, in order
	 * @throws StoreException if the database does not answer
	 * @throws IllegalArgumentException if the database is not supported or the name is
	 * not usable
	 */
	public static List<String> schemaStatements(DataSource source, String table) {
		TableNames names = new TableNames(table);
		return Database.of(source).dialect().schema(names);
	}

	@Override
	public String name() {
		return this.settings.name();
	}

	/**
	 * Returns the name under which this JVM holds and waits in the database.
	 * @return the name, unique to this store object
	 */
	@Override
	public String instanceId() {
		return this.settings.instanceId();
	}

	@Override
	Dispatcher dispatcher() {
		return this.dispatcher;
	}

	@Override
	Signals signals() {
		return this.signals;
	}

	@Override
	public Duration reservation() {
		return this.settings.reservation();
	}

	/**
	 * Begins to listen or to poll, and waits for at most one command timeout until
	 * PostgreSQL has confirmed that it will notify.
	 */
	@Override
	public void subscribe(SignalReceiver receiver) {
		this.signals.receiver(receiver, this.poller::wakeUp);
		this.poller.start();
		if (this.listener != null) {
			this.listener.start();
		}
	}

	@Override
	public int longestMessage() {
		return MessageTable.LONGEST;
	}

	@Override
	public void receiveMessages(MessageReceiver receiver) {
		this.messages.receiver(receiver);
	}

	/**
	 * Begins to poll for messages, unless PostgreSQL notifies.
	 */
	@Override
	public void expectMessages() {
		this.messages.expect();
	}

	@Override
	public void send(String instanceId, String message) {
		this.messages.send(instanceId, message);
	}

	/**
	 * Looks for things that would harm locks: tables that are missing, a user without the
	 * rights that locks need, a database that takes no writes or does not wait for its
	 * disk. Blocks for a few command timeouts at most.
	 * @return advice for the operator, one sentence or two for each finding, empty if all
	 * is well
	 * @throws StoreException if the database cannot be used for locks at all
	 */
	public List<String> check() {
		List<String> advice = new ArrayList<>(this.checks.run());
		String trouble = (this.listener != null) ? this.listener.trouble() : null;
		if (trouble != null) {
			advice.add(trouble);
		}
		return advice;
	}

	int cleanUp() {
		return this.cleanUp.cleanUp();
	}

	@Override
	public void close() {
		if (this.closed.compareAndSet(false, true)) {
			this.cleanUp.close();
			this.dispatcher.close();
			this.poller.close();
			this.messages.close();
			if (this.listener != null) {
				this.listener.close();
			}
		}
	}

	@Override
	public String toString() {
		return "JdbcLockStore " + name() + " in " + this.dialect + " at " + this.address;
	}

	/**
	 * Configures a {@link JdbcLockStore}.
	 */
	public static final class Builder {

		private static final int RE_CHECKS_OF_ENTRY = 3;

		private static final int MOST_CONNECTIONS = 64;

		private final DataSource source;

		private String name = "jdbc";

		private TableNames tables = new TableNames(TableNames.DEFAULT);

		private String instanceId = StoreOptions.newInstanceId();

		private Duration reservation = Duration.ofSeconds(1);

		private Duration queueEntryTtl = Duration.ofMillis(400L * RE_CHECKS_OF_ENTRY);

		private Duration commandTimeout = Duration.ofSeconds(1);

		private int parallelism = 4;

		private Duration cleanUpAfter = Duration.ofHours(1);

		private boolean listen = true;

		private Builder(DataSource source) {
			this.source = source;
		}

		/**
		 * Sets the name under which the store is configured and shown.
		 * @param name the name, {@code jdbc} by default
		 * @return this
		 */
		public Builder name(String name) {
			this.name = name;
			return this;
		}

		/**
		 * Sets the table of the locks. The table of those that wait has the same name
		 * with {@code _waiter} behind it, the one of shares with {@code _claim}.
		 * @param table letters, digits and underscores, with a schema in front if needed;
		 * {@code distributed_lock} by default
		 * @return this
		 */
		public Builder table(String table) {
			this.tables = new TableNames(table);
			return this;
		}

		/**
		 * Sets the name of this JVM in the database. No two stores may have the same at
		 * the same time.
		 * @param instanceId letters, digits, dots, hyphens and underscores; by default
		 * made of host, process and chance
		 * @return this
		 */
		public Builder instanceId(String instanceId) {
			this.instanceId = StoreOptions.checkInstanceId(instanceId);
			return this;
		}

		/**
		 * Sets how long a released lock is kept for the waiting JVM whose turn it is.
		 * @param reservation the time, 1 s by default
		 * @return this
		 */
		public Builder reservation(Duration reservation) {
			this.reservation = StoreOptions.checkNotTooShort("reservation", reservation);
			return this;
		}

		/**
		 * Sets how long a waiting JVM that does not show itself keeps its place.
		 * @param queueEntryTtl the time, three re-checks or 1.2 s by default
		 * @return this
		 */
		public Builder queueEntryTtl(Duration queueEntryTtl) {
			this.queueEntryTtl = StoreOptions.checkNotTooShort("queue entry ttl", queueEntryTtl);
			return this;
		}

		/**
		 * Sets how long commands that bring no timeout of their own wait for an answer.
		 * @param commandTimeout the time, 1 s by default
		 * @return this
		 */
		public Builder commandTimeout(Duration commandTimeout) {
			this.commandTimeout = StoreOptions.checkNotTooShort("command timeout", commandTimeout);
			return this;
		}

		/**
		 * Sets how many connections are used at once for commands. Another one listens
		 * (PostgreSQL) or polls for signals. More than a few rarely help: commands that
		 * meet share a transaction.
		 * @param parallelism the number, 4 by default
		 * @return this
		 */
		public Builder parallelism(int parallelism) {
			if (parallelism < 1 || parallelism > MOST_CONNECTIONS) {
				throw new IllegalArgumentException("The parallelism of " + parallelism + " is not usable. Use 1 to "
						+ MOST_CONNECTIONS + " connections.");
			}
			this.parallelism = parallelism;
			return this;
		}

		/**
		 * Sets how long the row of a lock that nobody uses stays. Fencing tokens rise all
		 * the same, as long as the database's clock is not set back by more than this.
		 * @param cleanUpAfter the time, 1 hour by default
		 * @return this
		 */
		public Builder cleanUpAfter(Duration cleanUpAfter) {
			if (cleanUpAfter.compareTo(Duration.ofSeconds(1)) < 0) {
				throw new IllegalArgumentException(
						"The clean-up after " + cleanUpAfter.toMillis() + " ms is too early. Use at least 1000 ms.");
			}
			this.cleanUpAfter = cleanUpAfter;
			return this;
		}

		/**
		 * Sets whether PostgreSQL notifies this JVM, which keeps one connection of the
		 * {@link DataSource} for it (a pool's leak detection may report it), or is polled
		 * like the other databases.
		 * @param listen true by default
		 * @return this
		 */
		public Builder listen(boolean listen) {
			this.listen = listen;
			return this;
		}

		/**
		 * Connects to the database.
		 * @return the store
		 * @throws StoreException if the database does not answer
		 * @throws IllegalArgumentException if it is not one of those that are supported
		 */
		public JdbcLockStore build() {
			StoreSettings settings = new StoreSettings(this.name, this.instanceId, this.reservation, this.queueEntryTtl,
					this.commandTimeout, this.parallelism, this.cleanUpAfter);
			Database database = Database.of(this.source);
			return new JdbcLockStore(this, settings, database);
		}

	}

}
