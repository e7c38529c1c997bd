package io.distributedlock.store.etcd;

import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

import io.etcd.jetcd.ByteSequence;
import io.etcd.jetcd.KeyValue;
import io.etcd.jetcd.Watch;
import io.etcd.jetcd.options.WatchOption;
import io.etcd.jetcd.watch.WatchEvent;
import io.etcd.jetcd.watch.WatchResponse;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import io.distributedlock.LockKey;
import io.distributedlock.spi.AttemptId;
import io.distributedlock.spi.MessagingLockStore.MessageReceiver;
import io.distributedlock.spi.SignallingLockStore.SignalReceiver;

/**
 * What other JVMs tell this one, and the end of its leases: one watch on all keys of its
 * mailbox, whatever the number of locks it waits for. Signals are written in the
 * transaction that they tell of; {@link Letters} come the same way.
 * <p>
 * If the watch ends (its past was compacted away, no leader, permissions), it is made
 * again, and whoever waits is told to ask again, since messages may have been missed.
 */
final class Mailbox implements Watch.Listener {

	private static final Logger logger = LoggerFactory.getLogger(EtcdLockStore.class);

	private static final String RESERVED = "R";

	private static final String REVOKED = "V";

	private static final long SHORTEST_PAUSE = 50_000_000;

	private static final long LONGEST_PAUSE = 1_000_000_000;

	private final Watch watch;

	private final ByteSequence place;

	private final ByteSequence letters;

	private final Timers timers;

	private final Receiver receiver;

	private final CompletableFuture<Void> first = new CompletableFuture<>();

	private volatile @Nullable SignalReceiver signals;

	private volatile @Nullable MessageReceiver messages;

	private volatile boolean open;

	private volatile boolean closed;

	private volatile @Nullable String trouble;

	private volatile Watch.@Nullable Watcher watcher;

	private long pause = SHORTEST_PAUSE;

	Mailbox(Watch watch, KeyLayout layout, String instance, Timers timers, Receiver receiver) {
		this.watch = watch;
		this.place = layout.mailbox(instance);
		this.letters = KeyLayout.bytes(layout.letters(instance));
		this.timers = timers;
		this.receiver = receiver;
	}

	static ByteSequence reserved(LockKey key, AttemptId attempt) {
		return KeyLayout.bytes(RESERVED + " " + key.id() + " " + attempt);
	}

	static ByteSequence revoked(LockKey key, AttemptId attempt) {
		return KeyLayout.bytes(REVOKED + " " + key.id() + " " + attempt);
	}

	/**
	 * Begins to watch, and waits for a while until etcd has confirmed it.
	 */
	void subscribe(SignalReceiver signals, Duration timeout) {
		this.signals = signals;
		watch();
		try {
			this.first.get(timeout.toNanos(), TimeUnit.NANOSECONDS);
		}
		catch (InterruptedException ex) {
			Thread.currentThread().interrupt();
		}
		catch (ExecutionException | TimeoutException ex) {
			logger.warn("etcd has not confirmed the watch for signals of locks within {} ms; waiters ask again by"
					+ " themselves until it does", timeout.toMillis());
		}
	}

	/**
	 * Tells whether messages arrive.
	 */
	boolean isOpen() {
		return this.open;
	}

	@Nullable String trouble() {
		return this.trouble;
	}

	@Nullable SignalReceiver signals() {
		return this.signals;
	}

	void receiveMessages(MessageReceiver receiver) {
		if (this.messages != null) {
			throw new IllegalStateException("There is a receiver of messages already.");
		}
		this.messages = receiver;
	}

	private void watch() {
		if (this.closed) {
			return;
		}
		try {
			this.watcher = this.watch.watch(this.place,
					WatchOption.builder().isPrefix(true).withCreateNotify(true).withRequireLeader(true).build(), this);
		}
		catch (RuntimeException ex) {
			onError(ex);
			onCompleted();
		}
	}

	@Override
	public void onNext(WatchResponse response) {
		if (response.isCreatedNotify()) {
			this.open = true;
			this.trouble = null;
			this.pause = SHORTEST_PAUSE;
			SignalReceiver known = this.signals;
			if (!this.first.complete(null) && known != null) {
				known.resumed();
			}
		}
		for (WatchEvent event : response.getEvents()) {
			try {
				received(event);
			}
			catch (RuntimeException ex) {
				logger.error("A signal from etcd could not be handled: {}", event.getKeyValue().getKey(), ex);
			}
		}
	}

	private void received(WatchEvent event) {
		KeyValue stored = event.getKeyValue();
		if (event.getEventType() == WatchEvent.EventType.DELETE) {
			this.receiver.deleted(stored.getKey());
			return;
		}
		if (stored.getKey().startsWith(this.letters)) {
			MessageReceiver receiver = this.messages;
			if (receiver != null) {
				receiver.message(KeyLayout.text(stored.getValue()));
			}
			return;
		}
		String[] parts = KeyLayout.text(stored.getValue()).split(" ");
		SignalReceiver known = this.signals;
		if (parts.length < 3 || known == null) {
			return;
		}
		AttemptId attempt = AttemptId.parse(parts[2]);
		if (parts[0].equals(RESERVED)) {
			this.receiver.reserved(attempt, stored.getModRevision());
			known.reserved(parts[1], attempt);
		}
		else if (parts[0].equals(REVOKED)) {
			this.receiver.revoked(attempt);
			known.revoked(parts[1], attempt);
		}
	}

	@Override
	public void onError(Throwable failure) {
		if (!this.closed) {
			this.open = false;
			this.trouble = "etcd does not let this application watch its keys (" + failure.getMessage()
					+ "); waiters poll. Check the permissions of the etcd user.";
			logger.debug("The watch for signals of locks was interrupted", failure);
		}
	}

	@Override
	public void onCompleted() {
		if (this.closed) {
			return;
		}
		this.open = false;
		this.timers.after(this.pause, this::watch);
		this.pause = Math.min(2 * this.pause, LONGEST_PAUSE);
	}

	void close() {
		this.closed = true;
		this.open = false;
		Watch.Watcher known = this.watcher;
		if (known != null) {
			known.close();
		}
	}

	/**
	 * Learns what signals say, before anybody else does.
	 */
	interface Receiver {

		/** A lock is reserved for an attempt since a revision. */
		void reserved(AttemptId attempt, long revision);

		/** A grant was ended by force. */
		void revoked(AttemptId attempt);

		/** A key of the mailbox is gone. */
		void deleted(ByteSequence key);

	}

}
