package io.distributedlock.test;

import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

import io.distributedlock.LockInspector.QueuedInstance;
import io.distributedlock.LockInspector.StoredLock;
import io.distributedlock.LockInspector.StoredLock.State;
import io.distributedlock.LockKey;
import io.distributedlock.spi.AcquireReply;
import io.distributedlock.spi.AttemptId;
import io.distributedlock.spi.ExtendReply;
import io.distributedlock.spi.QueueingLockStore.Successor;
import io.distributedlock.spi.ReleaseReply;
import io.distributedlock.spi.RenewReply;
import io.distributedlock.test.TokenSource.Block;
import org.jspecify.annotations.Nullable;

/**
 * What the server knows of one key, and the scripts that change it (rules R3 to R6). All
 * methods run under the mutex of the record's {@link Shard}, after {@link #begin}.
 * <p>
 * Release always reserves the lock for the first living waiter, so it is free with a
 * queue only after something expired. Then whoever asks first gets it: insisting on the
 * head of the queue can keep a free lock free for ever when signals are lost.
 */
final class LockRecord {

	private static final Block NO_TOKENS = new Block(0, 0);

	final String keyId;

	private final Rules rules;

	// One entry per JVM; a newer attempt takes over the place of an older one.
	private final Map<InMemoryLockStore, Waiter> queue = new LinkedHashMap<>(2);

	private State state = State.FREE;

	private @Nullable AttemptId attempt;

	private @Nullable InMemoryLockStore client;

	private Block block = NO_TOKENS;

	private long lastToken;

	private long deadline;

	private long now;

	private @Nullable Runnable signal;

	LockRecord(String keyId, Rules rules) {
		this.keyId = keyId;
		this.rules = rules;
	}

	/**
	 * Starts a script: what has expired by now is gone.
	 */
	void begin(long now) {
		this.now = now;
		if (this.state != State.FREE && now - this.deadline >= 0) {
			free();
		}
	}

	AcquireReply acquire(InMemoryLockStore client, AttemptId attempt, Duration ttl, int tokens, boolean enqueue) {
		if (holds(attempt)) {
			// The client counts from its latest send, so the ttl begins once more.
			this.deadline = this.now + ttl.toNanos();
			return new AcquireReply.Granted(this.block.first(), this.block.size());
		}
		if (this.state == State.FREE || reservedFor(attempt)) {
			Block granted = grant(client, attempt, ttl, tokens);
			return new AcquireReply.Granted(granted.first(), granted.size());
		}
		boolean queued = enqueue && client.isSubscribed();
		if (queued) {
			enqueue(client, attempt);
		}
		return new AcquireReply.Refused((this.client != null) ? this.client.instance() : null, remaining(), queued);
	}

	ReleaseReply release(AttemptId attempt, Duration keepFor) {
		if (!holds(attempt)) {
			return new ReleaseReply.NotOwner();
		}
		if (keepFor.compareTo(Duration.ZERO) > 0) {
			free();
			this.state = State.COOLING;
			this.deadline = this.now + keepFor.toNanos();
			return new ReleaseReply.Released(false);
		}
		return new ReleaseReply.Released(passOn());
	}

	ReleaseReply releaseAndEnqueue(InMemoryLockStore client, AttemptId attempt, Successor successor) {
		if (!holds(attempt)) {
			return repeatedRelease(client, successor);
		}
		this.queue.remove(client);
		if (!passOn()) {
			Block granted = grant(client, successor.attempt(), successor.ttl(), successor.tokens());
			return new ReleaseReply.Succeeded(granted.first(), granted.size());
		}
		boolean queued = client.isSubscribed();
		if (queued) {
			enqueue(client, successor.attempt());
		}
		return new ReleaseReply.Queued(queued);
	}

	/**
	 * "Not owner" promises that the successor has nothing, so a command whose first reply
	 * was lost is told what its successor has.
	 */
	private ReleaseReply repeatedRelease(InMemoryLockStore client, Successor successor) {
		if (holds(successor.attempt()) || reservedFor(successor.attempt())) {
			AcquireReply reply = acquire(client, successor.attempt(), successor.ttl(), successor.tokens(), false);
			if (reply instanceof AcquireReply.Granted granted) {
				return new ReleaseReply.Succeeded(granted.firstToken(), granted.tokens());
			}
		}
		Waiter waiter = this.queue.get(client);
		if (waiter != null && waiter.attempt.equals(successor.attempt()) && waiter.isAlive(this.now)) {
			enqueue(client, successor.attempt());
			return new ReleaseReply.Queued(true);
		}
		return new ReleaseReply.NotOwner();
	}

	RenewReply renew(AttemptId attempt, Duration ttl) {
		if (!holds(attempt)) {
			return RenewReply.NOT_OWNER;
		}
		this.deadline = this.now + ttl.toNanos();
		return RenewReply.RENEWED;
	}

	ExtendReply extend(InMemoryLockStore client, AttemptId attempt, Duration ttl, int tokens) {
		if (!holds(attempt)) {
			return new ExtendReply.NotOwner();
		}
		prune();
		if (this.queue.size() > (this.queue.containsKey(client) ? 1 : 0)) {
			return new ExtendReply.Yield();
		}
		Block further = this.rules.tokens().next(tokens);
		this.lastToken = further.last();
		this.deadline = this.now + ttl.toNanos();
		return new ExtendReply.Extended(further.first(), further.size());
	}

	/**
	 * Takes away whatever the attempt has; release alone would leave a reservation or a
	 * queue entry behind.
	 */
	void abandon(InMemoryLockStore client, AttemptId attempt) {
		if (holds(attempt) || reservedFor(attempt)) {
			passOn();
		}
		Waiter waiter = this.queue.get(client);
		if (waiter != null && waiter.attempt.equals(attempt)) {
			this.queue.remove(client);
		}
	}

	boolean forceRelease(long token) {
		if (this.state != State.HELD || token < this.block.first() || token > this.lastToken) {
			return false;
		}
		Runnable revoked = signal(InMemoryLockStore::revoked);
		passOn();
		Runnable reserved = this.signal;
		this.signal = (reserved == null) ? revoked : () -> {
			revoked.run();
			reserved.run();
		};
		return true;
	}

	Optional<StoredLock> inspect(LockKey key, String store) {
		if (isEmpty()) {
			return Optional.empty();
		}
		List<QueuedInstance> waiters = new ArrayList<>();
		this.queue.forEach((client, waiter) -> waiters
			.add(new QueuedInstance(client.instance(), waiter.since, waiter.isAlive(this.now))));
		return Optional.of(new StoredLock(key, store, this.state, (this.client != null) ? this.client.instance() : null,
				this.block.first(), this.lastToken, remaining(), waiters));
	}

	private boolean holds(AttemptId attempt) {
		return this.state == State.HELD && attempt.equals(this.attempt);
	}

	private boolean reservedFor(AttemptId attempt) {
		return this.state == State.RESERVED && attempt.equals(this.attempt);
	}

	private Block grant(InMemoryLockStore client, AttemptId attempt, Duration ttl, int tokens) {
		this.queue.remove(client);
		this.state = State.HELD;
		this.client = client;
		this.attempt = attempt;
		this.block = this.rules.tokens().next(tokens);
		this.lastToken = this.block.last();
		this.deadline = this.now + ttl.toNanos();
		return this.block;
	}

	/**
	 * Ends what the lock is now, and reserves it for the first living waiter.
	 * @return false if there is none, so that the lock is free
	 */
	private boolean passOn() {
		free();
		for (Iterator<Map.Entry<InMemoryLockStore, Waiter>> entries = this.queue.entrySet().iterator(); entries
			.hasNext();) {
			Map.Entry<InMemoryLockStore, Waiter> next = entries.next();
			entries.remove();
			if (next.getValue().isAlive(this.now)) {
				this.state = State.RESERVED;
				this.client = next.getKey();
				this.attempt = next.getValue().attempt;
				this.deadline = this.now + this.rules.reservation().toNanos();
				this.signal = signal(InMemoryLockStore::reserved);
				return true;
			}
		}
		return false;
	}

	private Runnable signal(Signal signal) {
		InMemoryLockStore receiver = this.client;
		AttemptId about = this.attempt;
		return () -> {
			if (receiver != null && about != null) {
				signal.send(receiver, this.keyId, about);
			}
		};
	}

	private void enqueue(InMemoryLockStore client, AttemptId attempt) {
		Waiter waiter = this.queue.get(client);
		if (waiter != null && !waiter.isAlive(this.now)) {
			// It had its chance; others came while nobody saw it.
			this.queue.remove(client);
			waiter = null;
		}
		if (waiter == null) {
			waiter = new Waiter(this.rules.wallClock().instant());
			this.queue.put(client, waiter);
		}
		waiter.attempt = attempt;
		waiter.expiresAt = this.now + this.rules.queueEntryTtl().toNanos();
	}

	private void free() {
		this.state = State.FREE;
		this.client = null;
		this.attempt = null;
		this.block = NO_TOKENS;
		this.lastToken = 0;
	}

	private Duration remaining() {
		return (this.state != State.FREE) ? Duration.ofNanos(this.deadline - this.now) : Duration.ZERO;
	}

	/**
	 * Drops the queue entries that nobody has refreshed.
	 */
	void prune() {
		this.queue.values().removeIf((waiter) -> !waiter.isAlive(this.now));
	}

	boolean isEmpty() {
		return this.state == State.FREE && this.queue.isEmpty();
	}

	/**
	 * Returns when to look for something expired, at the latest.
	 */
	long dueAt() {
		long pruneAt = this.now + this.rules.queueEntryTtl().toNanos();
		if (this.state == State.FREE) {
			return pruneAt;
		}
		return (this.queue.isEmpty() || this.deadline - pruneAt < 0) ? this.deadline : pruneAt;
	}

	@Nullable Runnable takeSignal() {
		Runnable taken = this.signal;
		this.signal = null;
		return taken;
	}

	/**
	 * Tells a JVM of something; see
	 * {@link io.distributedlock.spi.SignallingLockStore.SignalReceiver}.
	 */
	private interface Signal {

		void send(InMemoryLockStore to, String keyId, AttemptId attempt);

	}

	/**
	 * What the records of one server have in common.
	 */
	record Rules(Duration reservation, Duration queueEntryTtl, TokenSource tokens, InstantSource wallClock) {
	}

	/**
	 * The place of one JVM in the queue.
	 */
	private static final class Waiter {

		final Instant since;

		@Nullable AttemptId attempt;

		long expiresAt;

		Waiter(Instant since) {
			this.since = since;
		}

		boolean isAlive(long now) {
			return now - this.expiresAt < 0;
		}

	}

}
