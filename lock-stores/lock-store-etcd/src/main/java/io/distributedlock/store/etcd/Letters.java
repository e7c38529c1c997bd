package io.distributedlock.store.etcd;

import java.time.Duration;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;

import io.etcd.jetcd.ByteSequence;
import io.etcd.jetcd.KV;
import io.etcd.jetcd.kv.PutResponse;
import io.etcd.jetcd.options.PutOption;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Messages to other JVMs, by which deadlocks are found. Each is put into the mailbox of
 * its receiver, which watches that anyway, so that to receive costs nothing.
 * <p>
 * There is one key for each two JVMs, which the next message overwrites: a watch tells of
 * every write, also of those that were overwritten. It is on a lease of the sender, and
 * removed by it when there was no message for a short time. So nothing is left for long
 * of messages to a JVM that has died, nor of those of one that has.
 * <p>
 * What is lost is not missed: who looks for a deadlock sends again.
 */
final class Letters {

	private static final Logger logger = LoggerFactory.getLogger(EtcdLockStore.class);

	/** Longest message. etcd would take much more. */
	static final int LONGEST = 16_000;

	private static final long KEPT = Duration.ofSeconds(2).toNanos();

	/** Messages that etcd has not answered to; what is above that is dropped. */
	private static final int MOST = 64;

	private final KV kv;

	private final KeyLayout layout;

	private final String instance;

	private final Sessions sessions;

	private final Timers timers;

	private final AtomicInteger underWay = new AtomicInteger();

	/** What was written, and when. */
	private final Map<ByteSequence, Long> written = new ConcurrentHashMap<>();

	private final AtomicBoolean tidying = new AtomicBoolean();

	Letters(KV kv, KeyLayout layout, String instance, Sessions sessions, Timers timers) {
		this.kv = kv;
		this.layout = layout;
		this.instance = instance;
		this.sessions = sessions;
		this.timers = timers;
	}

	void send(String receiver, String message) {
		if (message.length() > LONGEST) {
			throw new IllegalArgumentException("A message of " + message.length() + " characters is too long");
		}
		if (this.underWay.incrementAndGet() > MOST) {
			this.underWay.decrementAndGet();
			return;
		}
		ByteSequence key = this.layout.letter(receiver, this.instance);
		this.sessions.any().thenCompose((session) -> put(key, message, session)).whenComplete((done, failure) -> {
			this.underWay.decrementAndGet();
			if (failure != null) {
				logger.debug("A message to {} could not be sent; if it searches for a deadlock it is sent again",
						receiver, failure);
			}
			else {
				this.written.put(key, System.nanoTime());
				tidyLater();
			}
		});
	}

	private CompletableFuture<PutResponse> put(ByteSequence key, String message, Session session) {
		return this.kv.put(key, KeyLayout.bytes(message), PutOption.builder().withLeaseId(session.lease).build());
	}

	private void tidyLater() {
		if (this.tidying.compareAndSet(false, true)) {
			this.timers.after(KEPT, this::tidy);
		}
	}

	private void tidy() {
		this.tidying.set(false);
		long now = System.nanoTime();
		this.written.forEach((key, at) -> {
			// Whatever is written now was seen before it is removed.
			if (now - at >= KEPT && this.written.remove(key, at)) {
				this.kv.delete(key).whenComplete((done, failure) -> logger.trace("Removed message {}", key, failure));
			}
		});
		if (!this.written.isEmpty()) {
			tidyLater();
		}
	}

}
