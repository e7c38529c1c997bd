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
import java.util.function.Predicate;

import io.distributedlock.LockInspector.QueuedInstance;
import io.distributedlock.LockInspector.StoredLock;
import io.distributedlock.LockInspector.StoredLock.State;
import io.distributedlock.LockKey;
import io.distributedlock.spi.AcquireCommand;
import io.distributedlock.spi.AcquireReply;
import io.distributedlock.spi.AttemptId;
import io.distributedlock.spi.DowngradeCommand;
import io.distributedlock.spi.DowngradeReply;
import io.distributedlock.spi.ExtendReply;
import io.distributedlock.spi.QueueingLockStore.Successor;
import io.distributedlock.spi.ReleaseReply;
import io.distributedlock.spi.RenewReply;
import io.distributedlock.spi.Share;
import io.distributedlock.spi.SharedAcquireCommand;
import io.distributedlock.test.Place.Holder;
import io.distributedlock.test.TokenSource.Block;
import org.jspecify.annotations.Nullable;

/**
 * What the server knows of one key, and the scripts that change it (rules R3 to R6, S3,
 * S4). All methods run under the mutex of the record's {@link Shard}, after
 * {@link #begin}.
 * <p>
 * Release always reserves the lock for the first living waiter, so it is free with a
 * queue only after something expired. Then whoever asks first gets it: insisting on the
 * head of the queue can keep a free lock free for ever when signals are lost. Callers
 * that want strict order and those that share do insist: they ask again more often than a
 * reservation is long, and each time the queue advances.
 */
final class LockRecord {

	private static final Block NO_TOKENS = new Block(0, 0);

	final String keyId;

	private final Rules rules;

	private final Map<Holder, Place> queue = new LinkedHashMap<>(2);

	private final Shares shares = new Shares();

	// Of the one that is alone; FREE while there are shares.
	private State state = State.FREE;

	private @Nullable AttemptId attempt;

	private @Nullable InMemoryLockStore client;

	private Block block = NO_TOKENS;

	private long lastToken;

	private long deadline;

	private long now;

	private final List<Runnable> signals = new ArrayList<>(1);

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
		this.shares.expire(now);
	}

	private boolean isFree() {
		return this.state == State.FREE && this.shares.isEmpty();
	}

	// ---- Alone

	AcquireReply acquire(InMemoryLockStore client, AttemptId attempt, Duration ttl, int tokens, boolean enqueue) {
		if (holds(attempt)) {
			return heldAlready(ttl);
		}
		if (isFree() || reservedFor(attempt)) {
			this.queue.remove(Holder.jvm(client));
			return granted(grant(client, attempt, ttl, tokens));
		}
		boolean queued = enqueue && client.isSubscribed();
		if (queued) {
			enqueue(Holder.jvm(client), client, attempt, null);
		}
		return refused(queued);
	}

	/**
	 * Callers of one JVM that want strict order: all take their places, and then the
	 * queue advances.
	 */
	List<AcquireReply> acquireInOrder(InMemoryLockStore client, List<AcquireCommand> commands) {
		boolean queues = client.isSubscribed();
		if (queues) {
			for (AcquireCommand command : commands) {
				if (!holds(command.attempt()) && !reservedFor(command.attempt())) {
					enqueue(Holder.caller(client, command.attempt()), client, command.attempt(), null);
				}
			}
			serve((place) -> commands.stream().anyMatch((command) -> command.attempt().equals(place.attempt)));
		}
		List<AcquireReply> replies = new ArrayList<>();
		for (AcquireCommand command : commands) {
			if (holds(command.attempt())) {
				replies.add(heldAlready(command.ttl()));
			}
			else if (reservedFor(command.attempt()) || (!queues && isFree() && !isWaitedFor())) {
				replies.add(granted(grant(client, command.attempt(), command.ttl(), 1)));
			}
			else {
				replies.add(refused(queues));
			}
		}
		return replies;
	}

	private AcquireReply heldAlready(Duration ttl) {
		// The client counts from its latest send, so the ttl begins once more.
		this.deadline = this.now + ttl.toNanos();
		return granted(this.block);
	}

	private static AcquireReply granted(Block block) {
		return new AcquireReply.Granted(block.first(), block.size());
	}

	private AcquireReply refused(boolean queued) {
		Shares.Part last = this.shares.last();
		InMemoryLockStore holder = (last != null) ? last.client : this.client;
		return new AcquireReply.Refused((holder != null) ? holder.instance() : null, remaining(), queued);
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

	ReleaseReply releaseInOrder(InMemoryLockStore client, AttemptId attempt, Duration ttl) {
		if (!holds(attempt)) {
			return new ReleaseReply.NotOwner();
		}
		free();
		boolean reserved = serve((place) -> place.holder.equals(Holder.caller(client, place.attempt)));
		AttemptId next = this.attempt;
		if (this.state == State.RESERVED && next != null && this.signals.isEmpty()) {
			return new ReleaseReply.Passed(next, grant(client, next, ttl, 1).first());
		}
		return new ReleaseReply.Released(reserved);
	}

	ReleaseReply releaseAndEnqueue(InMemoryLockStore client, AttemptId attempt, Successor successor) {
		if (!holds(attempt)) {
			return repeatedRelease(client, successor);
		}
		this.queue.remove(Holder.jvm(client));
		if (!passOn()) {
			Block granted = grant(client, successor.attempt(), successor.ttl(), successor.tokens());
			return new ReleaseReply.Succeeded(granted.first(), granted.size());
		}
		boolean queued = client.isSubscribed();
		if (queued) {
			enqueue(Holder.jvm(client), client, successor.attempt(), null);
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
		Place place = this.queue.get(Holder.jvm(client));
		if (place != null && place.attempt.equals(successor.attempt()) && place.isAlive(this.now)) {
			enqueue(place.holder, client, successor.attempt(), null);
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
		if (this.queue.size() > (this.queue.containsKey(Holder.jvm(client)) ? 1 : 0)) {
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
		Place place = this.queue.get(Holder.jvm(client));
		if (place != null && place.attempt.equals(attempt)) {
			this.queue.remove(place.holder);
		}
		this.queue.remove(Holder.caller(client, attempt));
		if (holds(attempt) || reservedFor(attempt)) {
			passOn();
		}
		else if (this.state == State.FREE) {
			serve((served) -> false);
		}
	}

	// ---- Shared

	AcquireReply acquireShared(InMemoryLockStore client, SharedAcquireCommand command) {
		AttemptId attempt = command.attempt();
		Share share = command.share();
		if (!this.shares.holds(attempt) && !this.shares.isReservedFor(attempt)) {
			Holder holder = Holder.sharer(client, share, attempt);
			if (command.queue() && client.isSubscribed()) {
				enqueue(holder, client, attempt, share);
				serve((place) -> place.attempt.equals(attempt));
			}
			else if (this.state == State.FREE && this.shares.hasRoom(share) && !isWaitedFor()) {
				reserve(client, attempt, share);
			}
		}
		if (this.shares.holds(attempt)) {
			this.shares.prolong(attempt, this.now + command.ttl().toNanos());
			return new AcquireReply.Granted(this.shares.token(attempt), 1);
		}
		if (this.shares.isReservedFor(attempt)) {
			long token = (share instanceof Share.Permits) ? this.rules.tokens().next(1).first()
					: this.rules.tokens().latest();
			this.shares.put(attempt, share, client, State.HELD, token, this.now + command.ttl().toNanos());
			return new AcquireReply.Granted(token, 1);
		}
		return refused(command.queue() && client.isSubscribed());
	}

	private void reserve(InMemoryLockStore client, AttemptId attempt, Share share) {
		this.shares.put(attempt, share, client, State.RESERVED, 0, this.now + this.rules.reservation().toNanos());
	}

	RenewReply renewShared(AttemptId attempt, Duration ttl) {
		if (!this.shares.holds(attempt)) {
			return RenewReply.NOT_OWNER;
		}
		this.shares.prolong(attempt, this.now + ttl.toNanos());
		return RenewReply.RENEWED;
	}

	ExtendReply extendShared(AttemptId attempt, Duration ttl) {
		if (!this.shares.holds(attempt)) {
			return new ExtendReply.NotOwner();
		}
		if (isWaitedFor()) {
			return new ExtendReply.Yield();
		}
		this.shares.prolong(attempt, this.now + ttl.toNanos());
		return new ExtendReply.Extended(this.shares.token(attempt), 1);
	}

	ReleaseReply releaseShared(InMemoryLockStore client, AttemptId attempt, Duration keepFor) {
		if (!this.shares.holds(attempt)) {
			return new ReleaseReply.NotOwner();
		}
		if (keepFor.compareTo(Duration.ZERO) > 0) {
			this.shares.keep(attempt, client, this.now + keepFor.toNanos());
			return new ReleaseReply.Released(false);
		}
		this.shares.remove(attempt);
		return new ReleaseReply.Released(serve((served) -> false));
	}

	DowngradeReply downgrade(InMemoryLockStore client, DowngradeCommand command) {
		AttemptId reader = command.reader();
		long deadline = this.now + command.ttl().toNanos();
		if (this.shares.holds(reader)) {
			this.shares.prolong(reader, deadline);
			return new DowngradeReply.Downgraded(this.shares.token(reader));
		}
		if (!holds(command.attempt())) {
			return new DowngradeReply.NotOwner();
		}
		long token = this.lastToken;
		free();
		this.shares.put(reader, Share.READERS, client, State.HELD, token, deadline);
		serve((served) -> false);
		return new DowngradeReply.Downgraded(token);
	}

	void abandonShared(InMemoryLockStore client, AttemptId attempt) {
		this.shares.remove(attempt);
		this.queue.values().removeIf((place) -> place.client == client && place.attempt.equals(attempt));
		serve((served) -> false);
	}

	// ---- For operators

	boolean forceRelease(long token) {
		if (this.state == State.HELD && token >= this.block.first() && token <= this.lastToken) {
			tell(this.client, InMemoryLockStore::revoked, this.attempt);
			passOn();
			return true;
		}
		List<AttemptId> sharers = this.shares.withToken(token);
		for (AttemptId sharer : sharers) {
			Shares.Part ended = this.shares.remove(sharer);
			tell((ended != null) ? ended.client : null, InMemoryLockStore::revoked, sharer);
		}
		if (!sharers.isEmpty()) {
			serve((served) -> false);
		}
		return !sharers.isEmpty();
	}

	Optional<StoredLock> inspect(LockKey key, String store) {
		if (isEmpty()) {
			return Optional.empty();
		}
		List<QueuedInstance> waiters = this.queue.values()
			.stream()
			.map((place) -> new QueuedInstance(place.client.instance(), place.since, place.isAlive(this.now)))
			.toList();
		State shown = this.shares.isEmpty() ? this.state : State.SHARED;
		return Optional.of(new StoredLock(key, store, shown, (this.client != null) ? this.client.instance() : null,
				this.block.first(), this.lastToken, remaining(), waiters, this.shares.show(this.now)));
	}

	// ---- Small things

	private boolean holds(AttemptId attempt) {
		return this.state == State.HELD && attempt.equals(this.attempt);
	}

	private boolean reservedFor(AttemptId attempt) {
		return this.state == State.RESERVED && attempt.equals(this.attempt);
	}

	private Block grant(InMemoryLockStore client, AttemptId attempt, Duration ttl, int tokens) {
		this.state = State.HELD;
		this.client = client;
		this.attempt = attempt;
		this.block = this.rules.tokens().next(tokens);
		this.lastToken = this.block.last();
		this.deadline = this.now + ttl.toNanos();
		return this.block;
	}

	/**
	 * Ends what the lock is now for the one that is alone, and reserves it for those
	 * whose turn it is.
	 * @return false if there is none, so that the lock is free
	 */
	private boolean passOn() {
		free();
		return serve((served) -> false);
	}

	/**
	 * Reserves the lock for those in the queue whose turn it is: for the first, or for
	 * all at the front that can share it.
	 * @param answered tells who needs no signal, since the answer to the command tells it
	 * @return whether there was any
	 */
	private boolean serve(Predicate<Place> answered) {
		boolean served = false;
		Iterator<Place> places = this.queue.values().iterator();
		while (places.hasNext()) {
			Place next = places.next();
			if (!next.isAlive(this.now)) {
				places.remove();
			}
			else if (next.share != null && this.state == State.FREE && this.shares.hasRoom(next.share)) {
				places.remove();
				reserve(next.client, next.attempt, next.share);
				served = true;
			}
			else if (next.share == null && isFree()) {
				places.remove();
				this.state = State.RESERVED;
				this.client = next.client;
				this.attempt = next.attempt;
				this.deadline = this.now + this.rules.reservation().toNanos();
				served = true;
			}
			else {
				break;
			}
			if (served && !answered.test(next)) {
				tell(next.client, InMemoryLockStore::reserved, next.attempt);
			}
		}
		return served;
	}

	private void tell(@Nullable InMemoryLockStore receiver, Signal signal, @Nullable AttemptId about) {
		if (receiver != null && about != null) {
			this.signals.add(() -> signal.send(receiver, this.keyId, about));
		}
	}

	private void enqueue(Holder holder, InMemoryLockStore client, AttemptId attempt, @Nullable Share share) {
		Place place = this.queue.get(holder);
		if (place != null && !place.isAlive(this.now)) {
			// It had its chance; others came while nobody saw it.
			this.queue.remove(holder);
			place = null;
		}
		if (place == null) {
			place = new Place(holder, client, attempt, share, this.rules.wallClock().instant());
			this.queue.put(holder, place);
		}
		place.attempt = attempt;
		place.expiresAt = this.now + this.rules.queueEntryTtl().toNanos();
	}

	private boolean isWaitedFor() {
		prune();
		return !this.queue.isEmpty();
	}

	private void free() {
		this.state = State.FREE;
		this.client = null;
		this.attempt = null;
		this.block = NO_TOKENS;
		this.lastToken = 0;
	}

	private Duration remaining() {
		Shares.Part last = this.shares.last();
		if (last != null) {
			return Duration.ofNanos(last.deadline - this.now);
		}
		return (this.state != State.FREE) ? Duration.ofNanos(this.deadline - this.now) : Duration.ZERO;
	}

	/**
	 * Drops the queue entries that nobody has refreshed.
	 */
	void prune() {
		this.queue.values().removeIf((place) -> !place.isAlive(this.now));
	}

	boolean isEmpty() {
		return isFree() && this.queue.isEmpty();
	}

	/**
	 * Returns when to look for something expired, at the latest.
	 */
	long dueAt() {
		long pruneAt = this.now + this.rules.queueEntryTtl().toNanos();
		if (isFree()) {
			return pruneAt;
		}
		long ends = (this.state != State.FREE) ? this.deadline
				: this.shares.firstDeadline(Long.MAX_VALUE / 2 + this.now);
		return (this.queue.isEmpty() || ends - pruneAt < 0) ? ends : pruneAt;
	}

	List<Runnable> takeSignals() {
		if (this.signals.isEmpty()) {
			return List.of();
		}
		List<Runnable> taken = List.copyOf(this.signals);
		this.signals.clear();
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

}
