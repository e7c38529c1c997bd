package io.distributedlock.store.redis;

import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;

import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import io.distributedlock.spi.AttemptId;
import io.distributedlock.spi.MessagingLockStore.MessageReceiver;
import io.distributedlock.spi.SignallingLockStore.SignalReceiver;

/**
 * The channel of this instance: knows whether signals arrive, and hands them on.
 */
final class Signals implements RedisTransport.Subscriber {

	private static final Logger logger = LoggerFactory.getLogger(Signals.class);

	/** What a message of another JVM begins with: version and kind. */
	static final String MESSAGE = "1m";

	private static final int ID_OFFSET = 2 + AttemptId.TEXT_LENGTH;

	private final String address;

	private final AtomicBoolean before = new AtomicBoolean();

	private final AtomicBoolean told = new AtomicBoolean();

	private final CountDownLatch settled = new CountDownLatch(1);

	private volatile @Nullable SignalReceiver receiver;

	private volatile @Nullable MessageReceiver messages;

	private volatile @Nullable String trouble;

	private volatile boolean subscribed;

	Signals(String address) {
		this.address = address;
	}

	void receiver(SignalReceiver receiver) {
		if (this.receiver != null) {
			throw new IllegalStateException("There is a receiver of signals already.");
		}
		this.receiver = receiver;
	}

	void receiver(MessageReceiver receiver) {
		if (this.messages != null) {
			throw new IllegalStateException("There is a receiver of messages already.");
		}
		this.messages = receiver;
	}

	/**
	 * Tells whether the server has confirmed that messages arrive.
	 */
	boolean areArriving() {
		return this.subscribed;
	}

	/**
	 * Returns why no messages arrive, null if they do or nothing is known.
	 */
	@Nullable String trouble() {
		return this.trouble;
	}

	/**
	 * Waits until it is known whether messages arrive, so that the first waiters need not
	 * poll.
	 * @param limit how long at most
	 */
	void awaitSettled(Duration limit) {
		try {
			if (!this.settled.await(limit.toMillis(), TimeUnit.MILLISECONDS)) {
				logger.debug("The subscription takes its time; waiters poll until it is confirmed");
			}
		}
		catch (InterruptedException ex) {
			Thread.currentThread().interrupt();
		}
	}

	@Override
	public void subscribed() {
		this.subscribed = true;
		this.told.set(false);
		this.trouble = null;
		this.settled.countDown();
		SignalReceiver current = this.receiver;
		// The first time nothing can have been lost: all before asks again by itself.
		if (this.before.getAndSet(true) && current != null) {
			current.resumed();
		}
	}

	@Override
	public void disconnected() {
		this.subscribed = false;
	}

	@Override
	public void failed(Throwable cause) {
		this.subscribed = false;
		String message = "No signals from Redis at " + this.address + ": waiters poll, and take longer to notice that"
				+ " a lock is free. " + RedisErrors.translate(cause, this.address).getMessage();
		this.trouble = message;
		this.settled.countDown();
		if (!this.told.getAndSet(true)) {
			logger.warn(message);
		}
	}

	@Override
	public void message(byte[] message) {
		SignalReceiver current = this.receiver;
		String text = Ascii.text(message);
		MessageReceiver currentMessages = this.messages;
		if (currentMessages != null && text.startsWith(MESSAGE)) {
			currentMessages.message(text.substring(MESSAGE.length()));
			return;
		}
		if (current == null || text.length() <= ID_OFFSET || text.charAt(0) != '1') {
			logger.debug("Ignored a message that this version does not know: {}", text);
			return;
		}
		AttemptId attempt;
		try {
			attempt = AttemptId.parse(text.substring(2, ID_OFFSET));
		}
		catch (IllegalArgumentException ex) {
			logger.debug("Ignored a message without an attempt id: {}", text);
			return;
		}
		String id = text.substring(ID_OFFSET);
		switch (text.charAt(1)) {
			case 'r' -> current.reserved(id, attempt);
			case 'x' -> current.revoked(id, attempt);
			default -> logger.debug("Ignored a message of unknown kind: {}", text);
		}
	}

}
