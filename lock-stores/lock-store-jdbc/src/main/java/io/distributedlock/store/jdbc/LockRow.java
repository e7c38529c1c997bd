package io.distributedlock.store.jdbc;

import java.time.Duration;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.function.Predicate;

import org.jspecify.annotations.Nullable;

import io.distributedlock.spi.AcquireReply;
import io.distributedlock.store.jdbc.Claim.Kind;
import io.distributedlock.store.jdbc.Claim.State;

/**
 * The row of one lock with its queue and its shares, while this transaction has the row
 * locked, and what the commands of all kinds do with it ({@link Exclusive},
 * {@link Sharing}, {@link StrictOrder}). Whoever changes the queue or the shares has the
 * lock's row locked first, so that one row lock guards them all.
 * <p>
 * The flag {@code waited} says that the queue may have entries: {@value AsRead#WAITED} of
 * JVMs that want the lock for themselves, {@value AsRead#CALLED} of others as well. While
 * it is not set, nobody needs to look: that is what makes grants and releases single
 * statements (see {@link PostgresFastPath}). For the same reason a row whose lock is
 * shared ends with the last of the shares: nobody who looks at the row alone takes it
 * before. Shares that are found when the row does not say that it is shared have ended. A
 * row stays when its lock is free, and so does its last token.
 */
final class LockRow {

	static final String FREE = "F";

	static final String HELD = "H";

	static final String RESERVED = "R";

	static final String COOLING = "C";

	static final String SHARED = "S";

	/** See {@link #serve}. */
	static final Predicate<Claim> NOBODY = (place) -> false;

	private final String key;

	private final AsRead read;

	/** Of the one that is alone; free while there are shares. */
	private String state = FREE;

	private @Nullable String attempt;

	private @Nullable String instance;

	private long firstToken;

	/** Also of grants that have ended. */
	private long lastToken;

	private long expiresAt;

	private int waited;

	private boolean claimsRead;

	private boolean changed;

	private final Line line = new Line();

	private final Shares shares = new Shares();

	private final ClaimChanges claims = new ClaimChanges();

	private final List<Signal> signals = new ArrayList<>(1);

	private long now;

	private Rules rules = Rules.NONE;

	/**
	 * Makes the row of a lock that the database does not have.
	 */
	LockRow(String key) {
		this.key = key;
		this.read = AsRead.NOTHING;
	}

	/**
	 * Makes a row that was read.
	 */
	LockRow(String key, String state, @Nullable String attempt, @Nullable String instance, long firstToken,
			long lastToken, long expiresAt, int waited) {
		this.key = key;
		this.read = new AsRead(true, state.equals(SHARED), lastToken, expiresAt, waited);
		this.state = this.read.shared() ? FREE : state;
		this.attempt = attempt;
		this.instance = instance;
		this.firstToken = firstToken;
		this.lastToken = lastToken;
		this.expiresAt = expiresAt;
		this.waited = waited;
	}

	/**
	 * Adds what was read of the queue or the shares, in order.
	 */
	void add(Claim claim) {
		this.claims.read(claim);
		if (claim.state() == State.WAITING) {
			this.line.add(claim);
		}
		else {
			this.shares.put(claim);
		}
	}

	/**
	 * Begins: what has expired by now is gone.
	 */
	void begin(long now, Rules rules) {
		this.now = now;
		this.rules = rules;
		this.line.sort();
		if (!this.read.shared()) {
			this.shares.clear();
		}
		this.shares.expire(now);
		if (!this.state.equals(FREE) && this.expiresAt <= now) {
			free();
		}
	}

	AcquireReply heldAlready(Duration ttl, int tokens) {
		// The client counts from its latest send, so the ttl begins once more.
		live(ttl);
		return new AcquireReply.Granted(this.firstToken, (int) Math.min(tokens, this.lastToken - this.firstToken + 1));
	}

	AcquireReply refused(boolean queued) {
		Claim last = this.shares.last();
		String holder = (last == null) ? this.instance : (last.state() != State.COOLING) ? last.instance() : null;
		return new AcquireReply.Refused(holder, remaining(), queued);
	}

	/**
	 * Makes a row that is not there, so that an abandon waits for an insert of the same
	 * attempt that is still under way somewhere.
	 */
	void leaveTrace() {
		if (!this.read.stored() && this.state.equals(FREE)) {
			// The clean-up goes by age, and this row has to outlive the command it is
			// for.
			this.expiresAt = this.now;
			this.changed = true;
		}
	}

	// ---- For all kinds

	boolean holds(String attempt) {
		return this.state.equals(HELD) && attempt.equals(this.attempt);
	}

	boolean isReservedFor(String attempt) {
		return this.state.equals(RESERVED) && attempt.equals(this.attempt);
	}

	/** Nobody is alone: it is free or shared. */
	boolean isOpen() {
		return this.state.equals(FREE);
	}

	boolean isFree() {
		return isOpen() && this.shares.isEmpty();
	}

	boolean isWaitedFor() {
		this.line.prune(this.now);
		return !this.line.isEmpty();
	}

	void enqueue(Kind kind, String attempt, int permits) {
		this.line.enqueue(Claim.place(kind, this.rules.instance(), attempt, permits, this.now,
				this.now + this.rules.queueEntryTtl()));
	}

	AcquireReply.Granted grant(String attempt, Duration ttl, int tokens) {
		this.state = HELD;
		this.attempt = attempt;
		this.instance = this.rules.instance();
		this.firstToken = takeTokens(tokens);
		live(ttl);
		return new AcquireReply.Granted(this.firstToken, tokens);
	}

	/**
	 * Takes tokens (rule S1): above all that were given, and no lower than the clock.
	 * @return the first of them
	 */
	long takeTokens(int tokens) {
		long first = Math.max(this.lastToken + 1, this.now);
		this.lastToken = first + tokens - 1;
		this.changed = true;
		return first;
	}

	/**
	 * Returns the token of readers: that of the last one who was alone. If there was
	 * none, it is as if there had been one just now.
	 */
	long readersToken() {
		return (this.lastToken > 0) ? this.lastToken : takeTokens(1);
	}

	/** Rounded up: the client counts on all of it. */
	long until(Duration time) {
		return this.now + (time.toNanos() + 999) / 1000;
	}

	void live(Duration time) {
		this.expiresAt = until(time);
		this.changed = true;
	}

	/**
	 * Ends what the lock is for the one that is alone, but keeps it taken, by nobody.
	 */
	void coolDown(Duration time) {
		free();
		this.state = COOLING;
		live(time);
	}

	/**
	 * Ends what the lock is for the one that is alone, for a share that takes its place.
	 */
	void open() {
		free();
	}

	/**
	 * Ends what the lock is now for the one that is alone, and reserves it for those
	 * whose turn it is.
	 */
	boolean passOn(Predicate<Claim> answered) {
		free();
		return serve(answered);
	}

	/**
	 * Reserves the lock for those in the queue whose turn it is: for the first, or for
	 * all at the front that can share it.
	 * @param answered tells who needs no signal, since the answer to the command tells it
	 * @return whether there was any
	 */
	boolean serve(Predicate<Claim> answered) {
		boolean served = false;
		for (Iterator<Claim> places = this.line.iterator(); places.hasNext();) {
			Claim next = places.next();
			if (next.isAlive(this.now)) {
				if (!reserve(next)) {
					break;
				}
				served = true;
				if (!answered.test(next)) {
					signal(Signal.RESERVED, next.instance(), next.attempt());
				}
			}
			places.remove();
		}
		return served;
	}

	private boolean reserve(Claim next) {
		long until = this.now + this.rules.reservation();
		if (next.isShared()) {
			if (!isOpen() || !this.shares.hasRoom(next.kind(), next.permits())) {
				return false;
			}
			this.shares.put(next.become(State.RESERVED, 0, until));
			return true;
		}
		if (!isFree()) {
			return false;
		}
		this.state = RESERVED;
		this.attempt = next.attempt();
		this.instance = next.instance();
		this.expiresAt = until;
		this.changed = true;
		return true;
	}

	void signal(char kind, @Nullable String to, @Nullable String about) {
		if (to != null && about != null) {
			this.signals.add(new Signal(kind, to, about, this.key));
		}
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

	Duration remaining() {
		Claim last = this.shares.last();
		long until = (last != null) ? last.expiresAt() : isOpen() ? this.now : this.expiresAt;
		return Duration.of(until - this.now, ChronoUnit.MICROS);
	}

	/**
	 * Ends: sees whether the row says what has become of the queue and the shares.
	 */
	void end() {
		int waits = this.line.isEmpty() ? 0 : this.line.hasCallers() ? AsRead.CALLED : AsRead.WAITED;
		if (waits != this.waited) {
			this.waited = waits;
			this.changed = true;
		}
		Claim last = this.shares.last();
		if (last != null) {
			this.changed |= !this.read.shared() || this.expiresAt != last.expiresAt();
			this.expiresAt = last.expiresAt();
		}
		else if (this.read.shared() && isOpen()) {
			this.expiresAt = this.now;
			this.changed = true;
		}
		this.claims.compare(this.line.all(), this.shares.all());
	}

	// ---- What was read, and what is to be written

	/** Whether anything is to be written, of the lock, its queue or its shares. */
	boolean needsWrite() {
		return this.changed || !this.claims.isEmpty();
	}

	long now() {
		return this.now;
	}

	/** Marks that all claims in the database were looked for. */
	void claimsRead() {
		this.claimsRead = true;
	}

	/** Whether shares and places of callers were looked for. */
	boolean wereClaimsRead() {
		return this.claimsRead;
	}

	Rules rules() {
		return this.rules;
	}

	Line line() {
		return this.line;
	}

	Shares shares() {
		return this.shares;
	}

	ClaimChanges claims() {
		return this.claims;
	}

	String key() {
		return this.key;
	}

	/** What the database had. */
	AsRead read() {
		return this.read;
	}

	boolean isChanged() {
		return this.changed;
	}

	String state() {
		return this.shares.isEmpty() ? this.state : SHARED;
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

	int waited() {
		return this.waited;
	}

	List<Signal> signals() {
		return this.signals;
	}

}
