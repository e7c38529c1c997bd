package io.distributedlock.store.jdbc;

import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

import org.jspecify.annotations.Nullable;

import io.distributedlock.LockInspector.QueuedInstance;
import io.distributedlock.LockInspector.StoredLock;
import io.distributedlock.LockKey;
import io.distributedlock.spi.AcquireReply;
import io.distributedlock.spi.ExtendReply;
import io.distributedlock.spi.QueueingLockStore.Successor;
import io.distributedlock.spi.ReleaseReply;
import io.distributedlock.spi.RenewReply;

/**
 * The row of one lock and its queue, while this transaction has the row locked: the rules
 * R3 to R6 of the protocol. Whoever changes the queue has the lock's row locked first, so
 * that one row lock guards both.
 * <p>
 * The flag {@code waited} says that the queue may have entries. While it is not set,
 * nobody needs to look: that is what makes grants and releases single statements (see
 * {@link PostgresFastPath}). A row stays when its lock is free, and so does its last
 * token.
 */
final class LockRow {

	static final String FREE = "F";

	static final String HELD = "H";

	static final String RESERVED = "R";

	static final String COOLING = "C";

	private final String key;

	private final boolean stored;

	private String state = FREE;

	private @Nullable String attempt;

	private @Nullable String instance;

	private long firstToken;

	/** Also of grants that have ended. */
	private long lastToken;

	private long expiresAt;

	private long readLastToken;

	private long readExpiresAt;

	private final boolean readWaited;

	private boolean waited;

	private boolean changed;

	private final Map<String, Waiter> queue = new LinkedHashMap<>(2);

	private final List<String> removed = new ArrayList<>(1);

	private final List<Signal> signals = new ArrayList<>(1);

	private long lastPlace;

	private long now;

	private Rules rules = Rules.NONE;

	/**
	 * Makes the row of a lock that the database does not have.
	 */
	LockRow(String key) {
		this.key = key;
		this.stored = false;
		this.readWaited = false;
	}

	/**
	 * Makes a row that was read.
	 */
	LockRow(String key, String state, @Nullable String attempt, @Nullable String instance, long firstToken,
			long lastToken, long expiresAt, boolean waited) {
		this.key = key;
		this.stored = true;
		this.state = state;
		this.attempt = attempt;
		this.instance = instance;
		this.firstToken = firstToken;
		this.lastToken = lastToken;
		this.expiresAt = expiresAt;
		this.readLastToken = lastToken;
		this.readExpiresAt = expiresAt;
		this.readWaited = waited;
		this.waited = waited;
	}

	/**
	 * Adds what was read of the queue, in order.
	 */
	void add(Waiter waiter) {
		this.queue.put(waiter.instance(), waiter);
		this.lastPlace = Math.max(this.lastPlace, waiter.since());
	}

	/**
	 * Begins: what has expired by now is gone.
	 */
	void begin(long now, Rules rules) {
		this.now = now;
		this.rules = rules;
		if (!this.state.equals(FREE) && this.expiresAt <= now) {
			free();
		}
	}

	AcquireReply acquire(String attempt, Duration ttl, int tokens, boolean enqueue) {
		if (holds(attempt)) {
			// The client counts from its latest send, so the ttl begins once more.
			live(ttl);
			return new AcquireReply.Granted(this.firstToken,
					(int) Math.min(tokens, this.lastToken - this.firstToken + 1));
		}
		if (this.state.equals(FREE) || isReservedFor(attempt)) {
			grant(attempt, ttl, tokens);
			return new AcquireReply.Granted(this.firstToken, tokens);
		}
		boolean queued = enqueue && this.rules.subscribed();
		if (queued) {
			enqueue(attempt);
		}
		return new AcquireReply.Refused(this.instance, remaining(), queued);
	}

	ReleaseReply release(String attempt, Duration keepFor) {
		if (!holds(attempt)) {
			return new ReleaseReply.NotOwner();
		}
		if (keepFor.compareTo(Duration.ZERO) > 0) {
			free();
			this.state = COOLING;
			live(keepFor);
			return new ReleaseReply.Released(false);
		}
		return new ReleaseReply.Released(passOn());
	}

	/**
	 * Releases, and grants to the successor or puts it behind the others.
	 */
	ReleaseReply releaseAndEnqueue(String attempt, Successor successor) {
		String next = successor.attempt().toString();
		if (!holds(attempt)) {
			return repeatedRelease(next, successor);
		}
		remove(this.rules.instance());
		if (!passOn()) {
			grant(next, successor.ttl(), successor.tokens());
			return new ReleaseReply.Succeeded(this.firstToken, successor.tokens());
		}
		if (this.rules.subscribed()) {
			enqueue(next);
		}
		return new ReleaseReply.Queued(this.rules.subscribed());
	}

	/**
	 * "Not owner" promises that the successor has nothing, so a command whose first reply
	 * was lost is told what its successor has.
	 */
	private ReleaseReply repeatedRelease(String next, Successor successor) {
		if (holds(next) || isReservedFor(next)) {
			AcquireReply reply = acquire(next, successor.ttl(), successor.tokens(), false);
			if (reply instanceof AcquireReply.Granted granted) {
				return new ReleaseReply.Succeeded(granted.firstToken(), granted.tokens());
			}
		}
		Waiter waiter = this.queue.get(this.rules.instance());
		if (waiter != null && waiter.attempt().equals(next) && waiter.isAlive(this.now)) {
			enqueue(next);
			return new ReleaseReply.Queued(true);
		}
		return new ReleaseReply.NotOwner();
	}

	RenewReply renew(String attempt, Duration ttl) {
		if (!holds(attempt)) {
			return RenewReply.NOT_OWNER;
		}
		live(ttl);
		return RenewReply.RENEWED;
	}

	ExtendReply extend(String attempt, Duration ttl, int tokens) {
		if (!holds(attempt)) {
			return new ExtendReply.NotOwner();
		}
		prune();
		if (this.queue.size() > (this.queue.containsKey(this.rules.instance()) ? 1 : 0)) {
			return new ExtendReply.Yield();
		}
		long base = nextToken();
		this.lastToken = base + tokens - 1;
		live(ttl);
		return new ExtendReply.Extended(base, tokens);
	}

	/**
	 * Takes away whatever the attempt has. A row that is not there is made, so that this
	 * waits for an insert of the same attempt that is still under way somewhere.
	 */
	void abandon(String attempt) {
		if (!this.stored && this.state.equals(FREE)) {
			// The clean-up goes by age, and this row has to outlive the command it is
			// for.
			this.expiresAt = this.now;
			this.changed = true;
		}
		if (holds(attempt) || isReservedFor(attempt)) {
			passOn();
		}
		Waiter waiter = this.queue.get(this.rules.instance());
		if (waiter != null && waiter.attempt().equals(attempt)) {
			remove(this.rules.instance());
		}
	}

	boolean forceRelease(long token) {
		if (!this.state.equals(HELD) || token < this.firstToken || token > this.lastToken) {
			return false;
		}
		signal(Signal.REVOKED);
		passOn();
		return true;
	}

	Optional<StoredLock> inspect(LockKey key, String store) {
		if (this.state.equals(FREE) && this.queue.isEmpty()) {
			return Optional.empty();
		}
		List<QueuedInstance> waiters = this.queue.values()
			.stream()
			.map((waiter) -> new QueuedInstance(waiter.instance(),
					Instant.EPOCH.plus(waiter.since(), ChronoUnit.MICROS), waiter.isAlive(this.now)))
			.toList();
		boolean held = this.state.equals(HELD);
		return Optional.of(new StoredLock(key, store, publicState(), this.instance, held ? this.firstToken : 0,
				held ? this.lastToken : 0, remaining(), waiters));
	}

	private StoredLock.State publicState() {
		return switch (this.state) {
			case HELD -> StoredLock.State.HELD;
			case RESERVED -> StoredLock.State.RESERVED;
			case COOLING -> StoredLock.State.COOLING;
			default -> StoredLock.State.FREE;
		};
	}

	private boolean holds(String attempt) {
		return this.state.equals(HELD) && attempt.equals(this.attempt);
	}

	private boolean isReservedFor(String attempt) {
		return this.state.equals(RESERVED) && attempt.equals(this.attempt);
	}

	private void grant(String attempt, Duration ttl, int tokens) {
		remove(this.rules.instance());
		this.state = HELD;
		this.attempt = attempt;
		this.instance = this.rules.instance();
		this.firstToken = nextToken();
		this.lastToken = this.firstToken + tokens - 1;
		live(ttl);
	}

	/** Rule S1. */
	private long nextToken() {
		return Math.max(this.lastToken + 1, this.now);
	}

	private void live(Duration time) {
		// Rounded up: the client counts on all of it.
		this.expiresAt = this.now + (time.toNanos() + 999) / 1000;
		this.changed = true;
	}

	private boolean passOn() {
		free();
		for (Iterator<Waiter> waiters = this.queue.values().iterator(); waiters.hasNext();) {
			Waiter next = waiters.next();
			waiters.remove();
			forget(next);
			if (next.isAlive(this.now)) {
				this.state = RESERVED;
				this.attempt = next.attempt();
				this.instance = next.instance();
				this.expiresAt = this.now + this.rules.reservation();
				signal(Signal.RESERVED);
				return true;
			}
		}
		return false;
	}

	private void signal(char kind) {
		if (this.instance != null && this.attempt != null) {
			this.signals.add(new Signal(kind, this.instance, this.attempt, this.key));
		}
	}

	private void enqueue(String attempt) {
		Waiter waiter = this.queue.get(this.rules.instance());
		if (waiter != null && !waiter.isAlive(this.now)) {
			// It had its chance; others came while nobody saw it.
			remove(this.rules.instance());
			waiter = null;
		}
		long life = this.now + this.rules.queueEntryTtl();
		if (waiter != null) {
			waiter.refresh(attempt, life);
			return;
		}
		// Two may come within one tick of the clock, or it may be set back.
		add(new Waiter(this.rules.instance(), attempt, Math.max(this.now, this.lastPlace + 1), life, false));
	}

	private void remove(String instance) {
		Waiter waiter = this.queue.remove(instance);
		if (waiter != null) {
			forget(waiter);
		}
	}

	private void forget(Waiter waiter) {
		if (waiter.isStored()) {
			this.removed.add(waiter.instance());
		}
	}

	private void prune() {
		this.queue.values().removeIf((waiter) -> {
			if (waiter.isAlive(this.now)) {
				return false;
			}
			forget(waiter);
			return true;
		});
	}

	private void free() {
		this.state = FREE;
		this.attempt = null;
		this.instance = null;
		this.firstToken = 0;
		// For the clean-up, which goes by age.
		this.expiresAt = this.now;
		this.changed = true;
	}

	private Duration remaining() {
		return this.state.equals(FREE) ? Duration.ZERO : Duration.of(this.expiresAt - this.now, ChronoUnit.MICROS);
	}

	/**
	 * Ends: sees whether the flag is right.
	 */
	void end() {
		boolean waits = !this.queue.isEmpty();
		if (waits != this.waited) {
			this.waited = waits;
			this.changed = true;
		}
	}

	/** Whether anything is to be written, of the lock or of its queue. */
	boolean needsWrite() {
		return this.changed || !this.removed.isEmpty()
				|| this.queue.values().stream().anyMatch((waiter) -> !waiter.isStored() || waiter.isChanged());
	}

	String key() {
		return this.key;
	}

	boolean isStored() {
		return this.stored;
	}

	boolean isChanged() {
		return this.changed;
	}

	String state() {
		return this.state;
	}

	@Nullable String attempt() {
		return this.attempt;
	}

	@Nullable String instance() {
		return this.instance;
	}

	long firstToken() {
		return this.firstToken;
	}

	long lastToken() {
		return this.lastToken;
	}

	long expiresAt() {
		return this.expiresAt;
	}

	/** What the database had, as does {@link #readExpiresAt()}. */
	long readLastToken() {
		return this.readLastToken;
	}

	long readExpiresAt() {
		return this.readExpiresAt;
	}

	boolean isWaited() {
		return this.waited;
	}

	/** Whether the database had the flag, so that the queue was read. */
	boolean wasWaited() {
		return this.readWaited;
	}

	Iterable<Waiter> queue() {
		return this.queue.values();
	}

	/** Instances whose entry in the database has to go, before any is added. */
	List<String> removed() {
		return this.removed;
	}

	List<Signal> signals() {
		return this.signals;
	}

}
