package io.distributedlock.engine;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Supplier;

import io.distributedlock.LockKey;
import io.distributedlock.spi.AcquireCommand;
import io.distributedlock.spi.AcquireReply;
import io.distributedlock.spi.StoreException;

/**
 * Grants locks within this JVM while their store is out, to gates of names that want it
 * ({@code on-outage = local}).
 * <p>
 * The gate of a key lets one owner of this JVM in at a time in any case. So all that is
 * needed is a grant that nobody has to ask for: {@link #LOCAL}, whose token is zero. The
 * gate treats it as any other, but for what would go to the store: it is renewed,
 * extended and released here. The next caller asks the store again, and gets it after the
 * local holder has gone, because it is the same gate; callers of this JVM never overlap,
 * whether their store comes or goes.
 * <p>
 * A caller whom the store has told that somebody else has the lock does not come here: it
 * is contention that it met.
 * <p>
 * The first failure that may pass by itself (a lost connection, a timeout) opens a
 * circuit, so that not every caller waits for the store's timeout. While it is open, one
 * caller each second asks the store, and the others get local grants at once. Any answer
 * closes it.
 * <p>
 * What the store refuses for good says nothing of other locks: the record of one key may
 * be unreadable while all others are well, and their callers must not be let in beside
 * those of other JVMs. So it degrades the lock that was asked for and opens no circuit.
 * Where it does concern all (a wrong password) nobody waits for long, since it comes as
 * an answer. Safe for use by many threads.
 */
final class LocalFallback {

	/** Real tokens are above zero. */
	static final AcquireReply.Granted LOCAL = new AcquireReply.Granted(0, 1);

	/** How often the store is asked while it is out. */
	static final long PROBE_PAUSE = 1_000_000_000;

	private static final long WARNING_PAUSE = 60_000_000_000L;

	private static final long CLOSED = Long.MIN_VALUE;

	private final StoreRuntime runtime;

	/** When the store is to be asked again; {@link #CLOSED} while it answers. */
	private final AtomicLong nextProbe = new AtomicLong(CLOSED);

	/** When to warn again of what the store refuses for good. */
	private final AtomicLong nextWarning = new AtomicLong(CLOSED);

	LocalFallback(StoreRuntime runtime) {
		this.runtime = runtime;
	}

	/**
	 * Asks the store for a lock, unless it is known to be out.
	 * @param store asks it
	 * @return what it answers, or {@link #LOCAL}; never exceptionally
	 */
	CompletionStage<AcquireReply> acquire(KeyGate gate, AcquireCommand command,
			Supplier<CompletionStage<AcquireReply>> store) {
		long sentAt = this.runtime.now();
		long probe = this.nextProbe.get();
		if (probe != CLOSED && (sentAt < probe || !this.nextProbe.compareAndSet(probe, sentAt + PROBE_PAUSE))) {
			if (command.repeated()) {
				undoLater(gate, command, sentAt);
			}
			return CompletableFuture.completedFuture(LOCAL);
		}
		return store.get().handle((reply, thrown) -> {
			if (reply != null) {
				answered();
				return reply;
			}
			StoreException failure = this.runtime.failure(thrown);
			if (failure.isRetryable()) {
				failed(failure);
			}
			else {
				refused(command.key(), failure);
			}
			if (failure.mayHaveExecuted() || command.repeated()) {
				undoLater(gate, command, Clock.plus(sentAt, command.timeout().toNanos()));
			}
			return LOCAL;
		});
	}

	/** What the store may have given to the attempt, or gives it late, is taken back. */
	private void undoLater(KeyGate gate, AcquireCommand command, long at) {
		this.runtime.abandonLater(gate, command.attempt(), at, Clock.plus(at, command.ttl().toNanos()));
	}

	private void failed(StoreException failure) {
		long before = this.nextProbe.getAndSet(this.runtime.now() + PROBE_PAUSE);
		if (before == CLOSED) {
			StoreRuntime.logger.warn(
					"The lock store '{}' is out: {} Locks with on-outage = local are taken WITHIN THIS"
							+ " INSTANCE ONLY until it answers again; it is asked once a second.",
					this.runtime.name(), failure.getMessage());
		}
	}

	private void refused(LockKey key, StoreException failure) {
		long now = this.runtime.now();
		long next = this.nextWarning.get();
		if (now >= next && this.nextWarning.compareAndSet(next, now + WARNING_PAUSE)) {
			StoreRuntime.logger.atWarn()
				.addKeyValue("lock.key", key.id())
				.log("The lock store '{}' cannot give lock '{}', which is taken WITHIN THIS INSTANCE ONLY (on-outage ="
						+ " local): {} This will not pass by itself. There may be more such locks; the next warning"
						+ " comes in a minute at the earliest.", this.runtime.name(), key, failure.getMessage());
		}
	}

	private void answered() {
		if (this.nextProbe.get() != CLOSED && this.nextProbe.getAndSet(CLOSED) != CLOSED) {
			StoreRuntime.logger.info("The lock store '{}' answers again. Locks are taken there.", this.runtime.name());
		}
	}

}
