package io.distributedlock.store.jdbc;

import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.BooleanSupplier;

import javax.sql.DataSource;

import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import io.distributedlock.spi.MessagingLockStore.MessageReceiver;
import io.distributedlock.store.jdbc.MessageTable.Mail;
import io.distributedlock.store.jdbc.MessageTable.Message;

/**
 * Messages from JVM to JVM, by which deadlocks are found. PostgreSQL notifies; for the
 * other databases, and while this JVM does not listen, they are put into a table and
 * polled for.
 * <p>
 * One thread does both on one connection, so that the answer to a message goes out on the
 * visit that comes next anyway. It is started by the first message, or the first wait
 * that may be part of a deadlock, and sleeps while nobody sends and no message is
 * expected: in a JVM whose callers hold nothing while they wait for long it never runs.
 * <p>
 * It asks every {@value #SHORTEST_MILLIS} ms when there is a new wait or a message has
 * come, and more seldom from then on, down to every {@value #LONGEST_MILLIS} ms, until
 * {@link MessageReceiver#expectsMessages()} says no.
 * <p>
 * Nothing of what is lost here is missed: who looks for a deadlock sends again. What is
 * not read is removed by the one that sent it after a short time, and if that one died,
 * with the entries of waiters that are gone.
 */
final class Messages implements AutoCloseable {

	private static final Logger logger = LoggerFactory.getLogger(Messages.class);

	private static final int SHORTEST_MILLIS = 10;

	private static final int LONGEST_MILLIS = 50;

	private static final long SHORTEST = SHORTEST_MILLIS * 1_000_000L;

	private static final long LONGEST = LONGEST_MILLIS * 1_000_000L;

	private static final long AFTER_FAILURE = 500_000_000;

	/** How long a message is of use. */
	private static final Duration LIFE = Duration.ofSeconds(2);

	/** How many may wait to be sent; what is above that is dropped. */
	private static final int MOST = 256;

	private final DataSource source;

	private final Session.Settings sessions;

	private final LockTables tables;

	private final MessageTable table;

	private final ServerClock clock;

	private final StoreSettings settings;

	private final BooleanSupplier notified;

	private final Thread thread;

	private final ReentrantLock mutex = new ReentrantLock();

	private final Condition wake = this.mutex.newCondition();

	private final Deque<Outgoing> outgoing = new ArrayDeque<>();

	/** Rows that were written, and when. Used by the thread alone. */
	private final Deque<Written> written = new ArrayDeque<>();

	private volatile @Nullable MessageReceiver receiver;

	private boolean started;

	private boolean closed;

	/** Something has happened since the thread last looked. */
	private boolean news;

	private long pause = SHORTEST;

	/**
	 * Makes the messages of a store.
	 * @param notified whether this JVM listens, and messages come without being asked for
	 */
	Messages(DataSource source, Session.Settings sessions, LockTables tables, ServerClock clock, StoreSettings settings,
			BooleanSupplier notified) {
		this.source = source;
		this.sessions = sessions;
		this.tables = tables;
		this.table = new MessageTable(tables.names());
		this.clock = clock;
		this.settings = settings;
		this.notified = notified;
		this.thread = new Thread(this::run, "distributed-lock-" + settings.name() + "-messages");
		this.thread.setDaemon(true);
	}

	void receiver(MessageReceiver receiver) {
		if (this.receiver != null) {
			throw new IllegalStateException("There is a receiver of messages already.");
		}
		this.receiver = receiver;
	}

	/** Begins to ask, unless messages come by themselves. */
	void expect() {
		if (!this.notified.getAsBoolean()) {
			wakeUp(null);
		}
	}

	void send(String instance, String text) {
		if (text.length() > MessageTable.LONGEST) {
			throw new IllegalArgumentException("A message of " + text.length() + " characters is too long");
		}
		// A name that does not fit into a row would fail those that are sent with it.
		if (!text.isEmpty() && instance.length() <= MessageTable.LONGEST_NAME) {
			wakeUp(new Outgoing(new Message(instance, text), System.nanoTime()));
		}
	}

	private void wakeUp(@Nullable Outgoing message) {
		this.mutex.lock();
		try {
			if (this.closed) {
				return;
			}
			if (message != null && this.outgoing.size() < MOST) {
				this.outgoing.add(message);
			}
			this.news = true;
			this.pause = SHORTEST;
			if (!this.started) {
				this.started = true;
				this.thread.start();
			}
			this.wake.signal();
		}
		finally {
			this.mutex.unlock();
		}
	}

	/** A message came by notification. */
	void received(String text) {
		MessageReceiver current = this.receiver;
		if (current == null) {
			return;
		}
		try {
			current.message(text);
		}
		catch (RuntimeException ex) {
			logger.debug("A message of another JVM could not be handled", ex);
		}
	}

	private void run() {
		while (true) {
			List<Message> messages = new ArrayList<>();
			this.mutex.lock();
			try {
				await();
				if (this.closed) {
					break;
				}
				long now = System.nanoTime();
				for (Outgoing each = this.outgoing.poll(); each != null; each = this.outgoing.poll()) {
					if (now - each.since() < LIFE.toNanos()) {
						messages.add(each.message());
					}
				}
				this.news = false;
			}
			finally {
				this.mutex.unlock();
			}
			boolean polls = polls();
			if (polls || !messages.isEmpty() || isOverdue(LIFE)) {
				visit(messages, polls, LIFE);
			}
		}
		if (!this.written.isEmpty()) {
			visit(List.of(), false, Duration.ZERO);
		}
	}

	private boolean polls() {
		MessageReceiver current = this.receiver;
		return current != null && !this.notified.getAsBoolean() && current.expectsMessages();
	}

	/** Waits until there is something to do. */
	private void await() {
		Written oldest = this.written.peek();
		long now = System.nanoTime();
		long left = (oldest != null) ? oldest.at() + LIFE.toNanos() - now : Long.MAX_VALUE;
		if (polls()) {
			left = Math.min(left, ThreadLocalRandom.current().nextLong(this.pause / 2, this.pause + this.pause / 4));
			this.pause = Math.min(LONGEST, this.pause + this.pause / 2);
		}
		try {
			while (!this.news && !this.closed && left > 0) {
				if (left == Long.MAX_VALUE) {
					this.wake.await();
				}
				else {
					left = this.wake.awaitNanos(left);
				}
			}
		}
		catch (InterruptedException ex) {
			// Nobody interrupts this thread but whoever wants it to look again.
			logger.trace("Woken up", ex);
		}
	}

	/**
	 * Sends, reads, and removes own messages that are older than some time.
	 */
	private void visit(List<Message> messages, boolean polls, Duration age) {
		try (Session session = Session.open(this.source, this.sessions, true,
				System.nanoTime() + this.settings.commandTimeout().toNanos())) {
			Connection connection = session.connection();
			if (!messages.isEmpty()) {
				send(connection, messages);
			}
			if (polls) {
				read(connection);
			}
			while (isOverdue(age)) {
				this.table.delete(connection, this.written.element().rows());
				this.written.remove();
			}
		}
		catch (SQLException | RuntimeException ex) {
			logger.debug("Messages to other JVMs could not be sent or read; those that search for deadlocks try again",
					ex);
			rest();
		}
	}

	private void send(Connection connection, List<Message> messages) throws SQLException {
		if (this.tables.dialect() == Dialect.POSTGRESQL) {
			PostgresListener.sendMessages(connection, this.tables.names(), messages);
			if (this.notified.getAsBoolean()) {
				return;
			}
		}
		long now = this.clock.at(System.nanoTime());
		if (now == 0) {
			now = this.tables.now(connection);
		}
		this.written.add(new Written(this.table.insert(connection, messages, now, now + StoreSettings.micros(LIFE)),
				System.nanoTime()));
	}

	private void read(Connection connection) throws SQLException {
		Mail mail = this.table.read(connection, this.settings.instanceId());
		if (!mail.texts().isEmpty()) {
			mail.texts().forEach(this::received);
			this.table.delete(connection, mail.rows());
			this.mutex.lock();
			try {
				this.pause = SHORTEST;
			}
			finally {
				this.mutex.unlock();
			}
		}
	}

	/** Tells whether there are rows that nobody needs any more. */
	private boolean isOverdue(Duration age) {
		Written oldest = this.written.peek();
		return oldest != null && System.nanoTime() - oldest.at() >= age.toNanos();
	}

	/** After a failure the next try may as well wait. */
	private void rest() {
		this.mutex.lock();
		try {
			long left = AFTER_FAILURE;
			while (left > 0 && !this.closed) {
				left = this.wake.awaitNanos(left);
			}
		}
		catch (InterruptedException ex) {
			logger.trace("Woken up", ex);
		}
		finally {
			this.mutex.unlock();
		}
	}

	@Override
	public void close() {
		this.mutex.lock();
		try {
			this.closed = true;
			this.wake.signal();
		}
		finally {
			this.mutex.unlock();
		}
		try {
			this.thread.join(200);
		}
		catch (InterruptedException ex) {
			Thread.currentThread().interrupt();
		}
	}

	/**
	 * A message that is to be sent.
	 *
	 * @param message to whom, and what
	 * @param since when it was to be sent
	 */
	private record Outgoing(Message message, long since) {
	}

	/**
	 * Rows of messages.
	 *
	 * @param rows their names
	 * @param at when they were written
	 */
	private record Written(List<Object[]> rows, long at) {
	}

}
