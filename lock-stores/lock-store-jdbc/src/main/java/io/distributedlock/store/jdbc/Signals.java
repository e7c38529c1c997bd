package io.distributedlock.store.jdbc;

import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;

import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import io.distributedlock.LockKey;
import io.distributedlock.spi.AcquireReply;
import io.distributedlock.spi.AttemptId;
import io.distributedlock.spi.RenewReply;
import io.distributedlock.spi.SignallingLockStore.SignalReceiver;

/**
 * Knows what this JVM holds and waits for, and tells the receiver what happens to it. How
 * it gets to know differs: PostgreSQL notifies ({@link PostgresListener}), from the
 * others, and while there is no connection that listens, it is asked for
 * ({@link Poller}).
 */
final class Signals {

	private static final Logger logger = LoggerFactory.getLogger(Signals.class);

	/** How long word of a forced release is kept for an instance that polls. */
	private static final long WORD_LIFE = StoreSettings.micros(Duration.ofMinutes(1));

	/** Grants that nobody has renewed for so long have ended, or have nobody to tell. */
	private static final long FORGET_AFTER = Duration.ofHours(2).toNanos();

	private static final int FORGET_EVERY = 4096;

	private final LockTables tables;

	private final long waitNanos;

	private final Map<AttemptId, Waiting> waiting = new ConcurrentHashMap<>();

	private final Map<AttemptId, Held> held = new ConcurrentHashMap<>();

	private final AtomicInteger grants = new AtomicInteger();

	private volatile @Nullable SignalReceiver receiver;

	private volatile Runnable wakeUp = () -> {
	};

	private volatile Consumer<String> messages = (message) -> {
	};

	Signals(LockTables tables, Duration queueEntryTtl) {
		this.tables = tables;
		this.waitNanos = queueEntryTtl.toNanos();
	}

	void receiver(SignalReceiver receiver, Runnable wakeUp) {
		if (this.receiver != null) {
			throw new IllegalStateException("There is a receiver of signals already.");
		}
		this.wakeUp = wakeUp;
		this.receiver = receiver;
	}

	/**
	 * Sets who is told of the messages that come where signals come.
	 */
	void messages(Consumer<String> receiver) {
		this.messages = receiver;
	}

	void message(String message) {
		this.messages.accept(message);
	}

	/**
	 * Tells whether anybody wants signals, so that this JVM can be reserved for.
	 */
	boolean areWanted() {
		return this.receiver != null;
	}

	/**
	 * Takes note of the answer to an attempt.
	 */
	void answered(LockKey key, AttemptId attempt, AcquireReply answer) {
		if (answer instanceof AcquireReply.Granted) {
			holds(key, attempt);
		}
		else if (((AcquireReply.Refused) answer).queued()) {
			waits(key, attempt);
		}
	}

	/**
	 * Takes note of the answer to a renewal.
	 */
	void answered(LockKey key, AttemptId attempt, RenewReply answer) {
		if (answer instanceof RenewReply.NotOwner) {
			ended(attempt);
		}
		else {
			stillHolds(key, attempt);
		}
	}

	void holds(LockKey key, AttemptId attempt) {
		if (this.receiver != null) {
			this.held.put(attempt, new Held(key.id(), System.nanoTime()));
			this.waiting.remove(attempt);
			if (this.grants.incrementAndGet() % FORGET_EVERY == 0) {
				forgetOld(System.nanoTime());
			}
		}
	}

	/**
	 * A grant that was lost may never be heard of again.
	 */
	private void forgetOld(long now) {
		this.held.values().removeIf((grant) -> now - grant.seen() > FORGET_AFTER);
	}

	private void stillHolds(LockKey key, AttemptId attempt) {
		this.held.computeIfPresent(attempt, (same, grant) -> new Held(key.id(), System.nanoTime()));
	}

	void ended(AttemptId attempt) {
		this.held.remove(attempt);
	}

	void waits(LockKey key, AttemptId attempt) {
		this.waiting.put(attempt, new Waiting(key.id(), System.nanoTime() + this.waitNanos));
		this.wakeUp.run();
	}

	/**
	 * Takes note that an attempt has nothing any more.
	 */
	void abandoned(AttemptId attempt) {
		ended(attempt);
		this.waiting.remove(attempt);
	}

	/**
	 * Returns the keys that this JVM waits for.
	 */
	List<String> waitedFor() {
		long now = System.nanoTime();
		this.waiting.values().removeIf((known) -> known.until() - now <= 0);
		return this.waiting.values().stream().map(Waiting::key).distinct().sorted().toList();
	}

	boolean holdsAny() {
		return !this.held.isEmpty();
	}

	/**
	 * Puts signals into a transaction, so that they go out with its commit or not at all.
	 */
	void send(Connection connection, List<Signal> signals, long now) throws SQLException {
		if (signals.isEmpty()) {
			return;
		}
		if (this.tables.dialect() == Dialect.POSTGRESQL) {
			PostgresListener.send(connection, this.tables.names(), signals);
		}
		// Whoever polls sees a reservation in the lock's row.
		List<Signal> revoked = new ArrayList<>(signals);
		revoked.removeIf((signal) -> signal.kind() != Signal.REVOKED);
		this.tables.leaveWord(connection, revoked, now, WORD_LIFE);
	}

	/**
	 * Hands on that a lock is reserved for an attempt.
	 */
	void reserved(String key, String attempt) {
		SignalReceiver current = this.receiver;
		if (current != null) {
			tell(() -> current.reserved(key, AttemptId.parse(attempt)));
		}
	}

	/**
	 * Hands on that a grant was ended by force, if it is known.
	 */
	void revoked(String attempt) {
		SignalReceiver current = this.receiver;
		if (current != null) {
			tell(() -> {
				AttemptId ended = AttemptId.parse(attempt);
				Held grant = this.held.remove(ended);
				if (grant != null) {
					current.revoked(grant.key(), ended);
				}
			});
		}
	}

	void resumed() {
		SignalReceiver current = this.receiver;
		if (current != null) {
			tell(current::resumed);
		}
	}

	private static void tell(Runnable signal) {
		try {
			signal.run();
		}
		catch (RuntimeException ex) {
			logger.warn("A signal of the lock store could not be delivered; waiters are served when they ask again",
					ex);
		}
	}

	private record Held(String key, long seen) {
	}

	private record Waiting(String key, long until) {
	}

}
