package io.distributedlock.engine;

import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Supplier;

import io.distributedlock.LockException;
import io.distributedlock.LockInspector.HeldLock;
import io.distributedlock.LockInspector.WaitedLock;
import io.distributedlock.LockKey;
import io.distributedlock.LockMode;
import io.distributedlock.LockNotAcquiredException;
import io.distributedlock.LockNotAcquiredException.Reason;
import io.distributedlock.LossReason;
import io.distributedlock.spi.AcquireCommand;
import io.distributedlock.spi.AcquireReply;
import io.distributedlock.spi.AttemptId;
import io.distributedlock.spi.DowngradeCommand;
import io.distributedlock.spi.DowngradeReply;
import io.distributedlock.spi.ExtendCommand;
import io.distributedlock.spi.ExtendReply;
import io.distributedlock.spi.QueueingLockStore;
import io.distributedlock.spi.QueueingLockStore.Successor;
import io.distributedlock.spi.ReleaseCommand;
import io.distributedlock.spi.ReleaseReply;
import io.distributedlock.spi.RenewCommand;
import io.distributedlock.spi.RenewReply;
import io.distributedlock.spi.StoreException;
import org.jspecify.annotations.Nullable;

/**
 * Where all callers of this JVM that want one key of one store queue up. The gate talks
 * to the store for all of them, and hands the lock from one to the next.
 *
 * <h2>States (rule E2)</h2> <pre>
 * FREE --caller comes--> CONTENDING --granted--> HELD --closed, next is here--> HELD
 *                            |                    |
 *                  refused, nobody waits          +--closed, next needs a new ttl or block--> HANDING_OFF --> HELD
 *                            v                    |
 *                          FREE                   +--closed, turn is over or nobody waits--> RELEASING --> FREE | CONTENDING | HELD
 *                                                 |
 *                                                 +--closed before the min-hold ends--> COOLING --> FREE | CONTENDING
 *                                                 |
 *                                                 +--writes no more, goes on reading--> DOWNGRADING --done--> (with the readers) --> FREE | CONTENDING
 *                                                 |                                        |
 *                                                 |                                        +--refused--> HELD
 *                                                 |                                        +--closed--> RELEASING
 *                                                 |
 *                                                 +--deadline passed, or the store says so--> (lost) --> FREE | CONTENDING
 * </pre>
 * <ul>
 * <li>FREE: nobody is here. A gate that becomes free leaves the registry and is dead; a
 * caller that still reaches it is sent back for a new one. So a key that nobody uses
 * costs nothing.</li>
 * <li>CONTENDING: one {@link Attempt} asks the store, again and again under the same id,
 * until it is granted or the last caller has left.</li>
 * <li>HELD: a {@link Hold} of one owner is open.</li>
 * <li>HANDING_OFF: the grant is ours, nobody holds it, and a command is under way that
 * has to succeed before the next caller may start.</li>
 * <li>RELEASING: the grant or the attempt is being given back. Callers queue for what
 * comes after.</li>
 * <li>COOLING: given back, but the store keeps the key taken until the min-hold is
 * over.</li>
 * <li>DOWNGRADING: the holder has closed its last lease to write and still reads, and the
 * store is asked to let other readers in. For callers of this JVM it is like HELD, but
 * that the holder cannot write again.</li>
 * </ul>
 * Loss is not a state to stay in: {@link #lose} ends the grant and starts the next
 * generation in one step (rule E3). What a late holder does afterwards carries the old
 * {@link Grant} and finds that it is not {@link #grant} any more.
 *
 * <h2>Who may do what, and why it is safe</h2>
 * <ul>
 * <li>All fields are guarded by the {@linkplain StoreRuntime#mutex mutex} of the key,
 * which is held for a few instructions and never over I/O, callbacks, unparks or another
 * mutex of a gate. (A few keys share one, since every held lease would pay for its own.)
 * Each public method collects what has to follow in a {@link Turn} and runs it after
 * unlocking.</li>
 * <li>At most one command that can make this JVM a holder (acquire, release with
 * successor, re-arming) is under way: {@link #flight} is the token of the one whose
 * answer counts. Answers of others are only looked at to clean up after them. An
 * extension may overlap with the release of the same grant: both carry the same attempt
 * id, and the answer of the extension is ignored once the grant has gone.</li>
 * <li>A caller's fate is one compare-and-set in {@link Waiter}. A caller that leaves by
 * itself reports it with {@link #left}; the gate skips it when it meets it in the
 * queue.</li>
 * <li>In HELD the thread that was granted the lock may still sleep. Until it has taken
 * the lock, {@link #overtake} may give the hold to a later caller and put the sleeper
 * back at the head of the line. The old hold has not begun for anybody: its lease was
 * seen by no caller, so its token goes to the new one.</li>
 * <li>A store without a queue cannot keep the lock for others. There a turn ends with its
 * block, and before the next one the gate may wait in CONTENDING without having asked
 * ({@link PollPace}).</li>
 * <li>In DOWNGRADING it may be unknown whether the store has the exclusive grant or the
 * share. Nobody else is let in before it is known, since that is right for both. The same
 * command is sent again and again, under the same two attempts: it finds out what there
 * is, and renews it. Meanwhile the right to {@linkplain Grant#tryArm set the ttl} stays
 * with it, so that no renewal is sent that one of the two would not understand. Whoever
 * ends the hold gives back the exclusive grant, and only then the share: a downgrade that
 * is executed late finds no grant that it could turn into a share. When the answer is
 * there, the hold with its owner, start and leases moves to the room of readers in one
 * step, since the gates of a key have one mutex. Who reaches this gate with a lease of
 * that hold is sent on.</li>
 * <li>A grant may be local ({@link LocalFallback}): the store was out, and the lock's
 * name goes on within this JVM. It goes through the same states, but nothing is sent for
 * it, and it has one token, so that the next caller asks the store again.</li>
 * <li>Deadlines are counted from before sending (rule E5), and a grant that is answered
 * later than its own deadline is abandoned, not used.</li>
 * <li>A command without an answer may still be executed until its timeout is over.
 * Whoever then ends that attempt has it abandoned once more after this moment
 * ({@link Attempt}), so that a late acquire leaves nothing behind (rule E13).</li>
 * </ul>
 */
final class Gate extends KeyGate {

	enum State {

		FREE, CONTENDING, HELD, DOWNGRADING, HANDING_OFF, RELEASING, COOLING

	}

	/** Holds that take less than this are shorter than the wake-up of a thread. */
	private static final long QUICK = 100_000;

	/** How many later callers may go before one that was granted the lock and sleeps. */
	private static final int MOST_OVERTAKING = 8;

	/** Blocks grow up to this size while no other JVM waits. */
	private static final int LARGEST_BLOCK = 1024;

	/** How often a downgrade without an answer is sent again within one ttl. */
	private static final int RETRIES_PER_TTL = 9;

	private static final long LONGEST_RETRY = 500_000_000;

	/** How often a caller is expected to come within one turn. */
	private static final int TOKENS_PER_CALLER = 8;

	private State state = State.FREE;

	private boolean dead;

	private WaiterLine line = WaiterLine.NOBODY;

	/** The grant that counts, in HELD, DOWNGRADING and HANDING_OFF. */
	private @Nullable Grant grant;

	/**
	 * The attempt, in CONTENDING. Later it stays only if one of its commands may still be
	 * executed, and is abandoned when its grant ends.
	 */
	private @Nullable Attempt attempt;

	/** Token of the command whose answer counts, null if none is under way. */
	private @Nullable Object flight;

	/** In DOWNGRADING only. Written under the mutex. */
	private volatile @Nullable Downgrade downgrade;

	/** The last hold was shorter than the wake-up of a thread. */
	private boolean quick;

	/** When the min-hold ends, in COOLING. */
	private long coolUntil;

	/** A signal came while the answer was on its way. */
	private boolean askAgain;

	/** Null until a caller comes that may be shed. */
	private @Nullable ServiceRate rate;

	/** Null if the store has a queue. */
	private final @Nullable PollPace pace;

	Gate(StoreRuntime runtime, LockKey key) {
		super(runtime, key);
		this.pace = (runtime.queue == null) ? runtime.pace(key) : null;
	}

	// ---- What callers do

	/**
	 * Takes a caller in. Its fate may be decided when this method returns.
	 * @return false if this gate is dead and the caller needs a new one
	 */
	@Override
	boolean enter(Waiter waiter) {
		Turn turn = new Turn(this.key);
		boolean taken;
		mutex().lock();
		try {
			// An expired lease without waiters is the end of this gate.
			expireIfDue(turn);
			taken = !this.dead;
			if (taken) {
				takeIn(waiter, turn);
			}
		}
		finally {
			mutex().unlock();
		}
		turn.run();
		return taken;
	}

	private void takeIn(Waiter waiter, Turn turn) {
		if (waiter.profile.sheds() && shed(waiter, turn)) {
			return;
		}
		switch (this.state) {
			case FREE -> {
				queueUp(waiter, false);
				long pause = othersFirst(waiter);
				if (pause > 0) {
					leaveToOthers(turn, pause);
				}
				else {
					contend(turn);
				}
			}
			case CONTENDING -> {
				Attempt current = attempt();
				if (waiter.waits() || !(current.refused || current.outage != null)) {
					queueUp(waiter, current.refused);
				}
				else if (current.outage != null) {
					refuse(waiter, turn, storeFailed(current.outage));
				}
				else {
					refuse(waiter, turn, busy(waiter));
				}
			}
			case HELD, DOWNGRADING -> enterHeld(waiter, turn);
			case HANDING_OFF, COOLING -> {
				if (waiter.waits()) {
					queueUp(waiter, true);
				}
				else {
					refuse(waiter, turn, busy(waiter));
				}
			}
			case RELEASING -> queueUp(waiter, false);
		}
	}

	/**
	 * Refuses a caller that would probably wait in vain. Not the holder itself, which
	 * need not wait, and not the first in line: from what happens to it the gate learns
	 * whether it was right.
	 */
	private boolean shed(Waiter waiter, Turn turn) {
		if (this.rate == null) {
			this.rate = new ServiceRate();
		}
		boolean reenters = this.state == State.HELD && hold().owner == waiter.owner;
		LockException refusal = reenters ? null : this.rate.refusal(this.key, this.line.size(), waiter);
		if (refusal != null) {
			refuse(waiter, turn, refusal);
		}
		return refusal != null;
	}

	private void queueUp(Waiter waiter, boolean knownBusy) {
		if (this.line == WaiterLine.NOBODY) {
			this.line = new WaiterLine();
		}
		this.line.add(waiter, knownBusy);
	}

	private void enterHeld(Waiter waiter, Turn turn) {
		Hold current = hold();
		if (current.owner == waiter.owner && current.state == Hold.State.HELD) {
			if (admits(current, waiter)) {
				nest(current, waiter, turn);
			}
			else {
				// Its own reading is in the way.
				refuse(waiter, turn, busy(waiter));
			}
		}
		else if (!waiter.waits()) {
			refuse(waiter, turn, busy(waiter));
		}
		else if (this.state == State.DOWNGRADING) {
			queueUp(waiter, true);
		}
		else if (!overtake(waiter, turn)) {
			queueUp(waiter, true);
			extendIfNeeded(turn);
		}
	}

	/**
	 * Where holders are quick, waking a thread takes longer than the work under the lock.
	 * Until the one that was granted the lock is awake, callers that are may go first: a
	 * few, and only those that it could have been handed to in the same way (ADR 0015).
	 * @return false if the caller has to queue up
	 */
	private boolean overtake(Waiter waiter, Turn turn) {
		Waiter first = this.line.starting();
		if (first == null || !this.quick || first.overtaken >= MOST_OVERTAKING || waiter.sharesOwner
				|| first.sharesOwner) {
			return false;
		}
		Grant current = grant();
		Hold given = hold();
		long now = this.runtime.now();
		// Who is overtaken needs time and a token, so that it still has its turn.
		// Nor may another call of the same owner have come into the hold that is to end.
		if (given.wasReentered() || !current.hasToken() || !suits(current, waiter.profile, now)
				|| now - current.turnStart >= this.runtime.engine.options().handoffTime() / 2
				|| first.deadline - now < this.runtime.engine.options().handoffTime() || !first.putBack()) {
			return false;
		}
		first.overtaken++;
		this.line.putBack(first);
		given.state = Hold.State.RELEASED;
		Hold begun = new Hold(current, waiter.owner, given.token, now, waiter.profile.terms());
		if (waiter.grant(begun.opener)) {
			current.hold = begun;
			turn.deliver(waiter);
			this.line.grantSameOwner(begun, waiter, now, turn);
		}
		else {
			current.hold = null;
			this.state = State.HANDING_OFF;
			handOn(turn, false, true);
		}
		return true;
	}

	/**
	 * Tells whether a caller may have the grant without asking the store (rule E7).
	 */
	private boolean suits(Grant current, Profile profile, long now) {
		return current.ttl == profile.storeTtl() && profile.renew() && profile.minHold() == 0
				&& current.remaining(now) >= current.ttl / 2;
	}

	/**
	 * A caller has cancelled itself.
	 */
	@Override
	void left(Waiter waiter) {
		transition((turn) -> {
			this.line.gone(waiter);
			if (this.state == State.CONTENDING && this.flight == null && this.line.head() == null) {
				giveUp(turn);
			}
		});
	}

	@Override
	protected @Nullable StoreException outage(Waiter waiter) {
		return (this.attempt != null) ? this.attempt.outage : null;
	}

	@Override
	protected boolean isAnswered(Waiter waiter) {
		return waiter.busy || this.state == State.HELD || this.state == State.DOWNGRADING
				|| this.state == State.HANDING_OFF || this.state == State.COOLING;
	}

	/**
	 * Refuses all who wait, since this instance shuts down.
	 */
	@Override
	void shutDown() {
		transition((turn) -> {
			this.line.refuseAll(turn, (waiter) -> refusal(Reason.SHUTTING_DOWN, waiter));
			if (this.state == State.CONTENDING && this.flight == null) {
				giveUp(turn);
			}
		});
	}

	/**
	 * Closes a lease. The last one of a hold ends the hold: the lock goes to the next
	 * local caller, or back to the store.
	 */
	@Override
	Closing close(LeaseHandle lease) {
		Turn turn = new Turn(this.key);
		Closing closing = null;
		mutex().lock();
		try {
			if (lease.hold.grant.gate == this) {
				closing = closeHere(lease, turn);
			}
		}
		finally {
			mutex().unlock();
		}
		turn.run();
		// Its hold has gone over to the readers meanwhile, or is here.
		return (closing != null) ? closing : lease.hold.grant.gate.close(lease);
	}

	private Closing closeHere(LeaseHandle lease, Turn turn) {
		Hold closed = lease.hold;
		expireIfDue(turn);
		boolean last = closed.close(lease);
		if (closed.state != Hold.State.HELD) {
			if (last && this.grant == null) {
				forget(closed.grant, closed.lossReason, turn);
			}
			return Closing.LOST;
		}
		if (last) {
			return end(lease, turn);
		}
		return canShareAfter(lease) ? downgrade(closed, turn) : Closing.NESTED;
	}

	private Closing end(LeaseHandle last, Turn turn) {
		Grant current = grant();
		Hold ended = last.hold;
		current.hold = null;
		long now = this.runtime.now();
		this.quick = now - ended.startedAt < QUICK;
		if (this.downgrade != null) {
			// It may be shared already, and then cannot be handed on.
			ended.state = Hold.State.CLOSING;
			CompletableFuture<Boolean> reply = new CompletableFuture<>();
			release(turn, last, reply);
			return new Closing(true, true, reply);
		}
		if (ended.minHoldEnd() > now) {
			return cool(last, turn);
		}
		Waiter next = this.line.head();
		if (next != null && now - current.turnStart < this.runtime.engine.options().handoffTime()) {
			if (current.hasToken()) {
				ended.state = Hold.State.RELEASED;
				this.state = State.HANDING_OFF;
				handOn(turn, false, true);
				return Closing.HANDED_ON;
			}
			if (current.extending && !current.yield) {
				// The answer brings tokens, or sends the lock to others.
				ended.state = Hold.State.RELEASED;
				this.state = State.HANDING_OFF;
				return Closing.HANDED_ON;
			}
		}
		ended.state = Hold.State.CLOSING;
		CompletableFuture<Boolean> reply = new CompletableFuture<>();
		release(turn, last, reply);
		return new Closing(true, true, reply);
	}

	private Closing cool(LeaseHandle last, Turn turn) {
		Grant current = grant();
		Hold ended = last.hold;
		unwatch(current);
		ended.state = Hold.State.CLOSING;
		endAttempt(turn, current.ttl);
		this.grant = null;
		this.state = State.COOLING;
		CompletableFuture<Boolean> reply = new CompletableFuture<>();
		Object token = fly();
		long until = ended.minHoldEnd();
		this.coolUntil = until;
		turn.then(() -> {
			long sentAt = this.runtime.now();
			ReleaseCommand command = new ReleaseCommand(this.key, current.attempt(),
					Duration.ofNanos(Math.max(1_000_000, until - sentAt)), timeout(current.ttl));
			StoreBatch.release(this.runtime, command)
				.whenComplete((answer, thrown) -> cooled(token, last, until, reply, answer, thrown));
		});
		return new Closing(true, true, reply);
	}

	// ---- A writer that goes on as a reader

	/**
	 * Tells whether its holder only reads after this lease, in a way that other readers
	 * may join. What is not renewed, or kept after its end, would not be what it was.
	 */
	private boolean canShareAfter(LeaseHandle closed) {
		Hold hold = closed.hold;
		long now = this.runtime.now();
		return this.state == State.HELD && closed.mode() == LockMode.WRITE && !hold.writes() && !grant().local
				&& hold.minHoldEnd() <= now && this.runtime.engine.watchdog().wantsRenewal(hold, now);
	}

	private Closing downgrade(Hold hold, Turn turn) {
		ReaderGate readers = this.runtime.readerGate(this.key, hold.terms().ttl());
		Downgrade begun = new Downgrade(hold, readers, Clock.plus(this.runtime.now(), timeoutNanos(grant().ttl)));
		readers.expect(begun.share);
		this.state = State.DOWNGRADING;
		this.downgrade = begun;
		turn.then(() -> sendDowngrade(begun));
		return Closing.downgraded(begun.reply);
	}

	/**
	 * Also the renewal of what a downgrade without an answer has left.
	 */
	private void sendDowngrade(Downgrade pending) {
		transition((turn) -> {
			expireIfDue(turn);
			if (this.downgrade != pending) {
				return;
			}
			Grant current = grant();
			long now = this.runtime.now();
			pending.armed = pending.armed || current.tryArm();
			boolean renews = this.runtime.engine.watchdog().wantsRenewal(pending.hold, now);
			if (!pending.armed || !renews) {
				// Until a renewal is answered, or the grant ends by itself.
				wait(pending, pending.armed ? retryPause(current.ttl) : MIN_PAUSE, turn);
				return;
			}
			long ttl = pending.hold.renewalTtl(now);
			pending.sent = true;
			current.sending(Clock.plus(now, ttl - Profile.drift(ttl)));
			DowngradeCommand command = new DowngradeCommand(this.key, current.attempt(), pending.share.id,
					Duration.ofNanos(ttl), timeout(ttl));
			turn.then(() -> this.runtime.downgrade(command)
				.whenComplete((reply, thrown) -> downgraded(pending, ttl, now, reply, thrown)));
		});
	}

	/** Nothing was sent just now, and somebody may wait for an answer. */
	private void wait(Downgrade pending, long pause, Turn turn) {
		boolean closed = this.runtime.engine.timers().isClosed();
		if (closed || this.runtime.now() >= pending.unsentUntil) {
			turn.then(() -> pending.reply.complete(true));
		}
		if (!closed) {
			turn.then(() -> this.runtime.engine.timers().scheduleAwaited(() -> sendDowngrade(pending), pause));
		}
	}

	private static long retryPause(long ttl) {
		return Math.min(ttl / RETRIES_PER_TTL, LONGEST_RETRY);
	}

	private void downgraded(Downgrade pending, long ttl, long sentAt, @Nullable DowngradeReply reply,
			@Nullable Throwable thrown) {
		transition((turn) -> {
			boolean lost = false;
			if (this.downgrade == pending) {
				Grant current = grant();
				if (reply instanceof DowngradeReply.Downgraded done) {
					if (current.prolong(this.runtime.now(), current.deadlineOf(sentAt, ttl))) {
						current.ttl = ttl;
						goOnReading(pending, done.token(), turn);
					}
					else {
						lose(current, LossReason.EXPIRED, turn);
					}
				}
				else if (reply instanceof DowngradeReply.NotOwner) {
					lost = true;
					lose(current, LossReason.NOT_OWNER, turn);
				}
				else if (reply instanceof DowngradeReply.NotSupported) {
					stayAlone(pending, turn);
				}
				else {
					notDowngraded(pending, current, ttl, this.runtime.failure(thrown), turn);
				}
			}
			boolean held = !lost;
			turn.then(() -> pending.reply.complete(held));
		});
	}

	private void notDowngraded(Downgrade pending, Grant current, long ttl, StoreException failure, Turn turn) {
		if (failure.mayHaveExecuted()) {
			pending.inDoubt = true;
			current.unanswered(ttl);
		}
		if (failure.isRetryable() || pending.inDoubt) {
			this.runtime.engine.timers().schedule(() -> sendDowngrade(pending), retryPause(ttl));
		}
		else {
			StoreRuntime.logger.atWarn()
				.addKeyValue("lock.key", this.key.id())
				.log("Lock '{}' stays exclusive until its last lease is closed, since other readers could not be let"
						+ " in. {}", this.key, failure.getMessage());
			stayAlone(pending, turn);
		}
	}

	private void goOnReading(Downgrade pending, long token, Turn turn) {
		Grant former = grant();
		this.downgrade = null;
		this.grant = null;
		former.hold = null;
		unwatch(former);
		endAttempt(turn, former.ttl);
		pending.readers.adopt(pending.hold, pending.share, former, token, turn);
		next(turn);
	}

	private void stayAlone(Downgrade pending, Turn turn) {
		endDowngrade(true, turn);
		this.state = State.HELD;
		if (pending.armed) {
			grant().armed();
		}
		extendIfNeeded(turn);
	}

	/**
	 * The holder does not go on as a reader.
	 * @param held whether it held the lock when it stopped writing
	 * @return the share that the store may have for it, null if it has none
	 */
	private @Nullable AttemptId endDowngrade(boolean held, Turn turn) {
		Downgrade ended = this.downgrade;
		if (ended == null) {
			return null;
		}
		this.downgrade = null;
		ended.readers.expectNoMore(ended.share);
		if (!ended.sent) {
			turn.then(() -> ended.reply.complete(held));
		}
		return ended.sent ? ended.share.id : null;
	}

	@Override
	protected boolean admits(Hold held, Waiter waiter) {
		return super.admits(held, waiter) && (waiter.profile.reads() || !onlyReads(held));
	}

	@Override
	boolean onlyReads(Hold held) {
		Downgrade pending = this.downgrade;
		return pending != null && pending.hold == held;
	}

	// ---- What the store answers

	private void acquired(Object token, AttemptId asked, long ttl, long sentAt, @Nullable AcquireReply reply,
			@Nullable Throwable thrown) {
		transition((turn) -> {
			if (this.flight != token) {
				// Nobody waits for this answer any more: what it brought is given back.
				turn.then(() -> this.runtime.abandonLater(this, asked, 0, this.runtime.now() + ttl));
			}
			else {
				this.flight = null;
				if (reply instanceof AcquireReply.Granted granted) {
					granted(turn, asked, ttl, sentAt, granted.firstToken(), granted.tokens());
				}
				else if (reply instanceof AcquireReply.Refused no) {
					refused(turn, no);
				}
				else {
					failed(turn, this.runtime.failure(thrown), sentAt + timeoutNanos(ttl));
				}
			}
		});
	}

	private void granted(Turn turn, AttemptId asked, long ttl, long sentAt, long firstToken, int tokens) {
		long now = this.runtime.now();
		// A local grant begins when the store is known to be out.
		long since = (firstToken == LocalFallback.LOCAL.firstToken()) ? now : sentAt;
		long deadline = Clock.plus(since, ttl - Profile.drift(ttl));
		if (now >= deadline) {
			// Too late to be used (rule E5). The next try has a new attempt.
			turn.then(() -> this.runtime.abandonLater(this, asked, 0, this.runtime.now() + ttl));
			endAttempt(turn, ttl);
			next(turn);
			return;
		}
		Grant fresh = new Grant(this, asked, ttl, deadline, firstToken, tokens, now);
		this.grant = fresh;
		becameGrant(now);
		this.state = State.HANDING_OFF;
		handOn(turn, true, false);
	}

	/** The attempt has become a grant; what is left of it are its ghosts. */
	private void becameGrant(long now) {
		Attempt granted = this.attempt;
		if (granted != null) {
			granted.outage = null;
			if (!granted.isHaunted(now)) {
				this.attempt = null;
			}
		}
	}

	private void refused(Turn turn, AcquireReply.Refused no) {
		Attempt current = attempt();
		current.refused(no);
		this.line.refuseImpatient(turn, this::busy);
		this.line.announce(turn);
		if (this.line.head() == null) {
			giveUp(turn);
		}
		else if (this.askAgain) {
			ask(turn);
		}
		else {
			long pause;
			if (this.pace != null) {
				pause = this.pace.afterRefusal(current, this.runtime.now());
			}
			else {
				pause = no.queued() ? Clock.jitter(this.runtime.recheck) : current.pauseToPoll(this.runtime.recheck);
			}
			askLater(Math.max(MIN_PAUSE, Math.min(pause, no.freeIn().toNanos() + MIN_PAUSE)));
		}
	}

	private void failed(Turn turn, StoreException failure, long executableUntil) {
		Attempt current = attempt();
		current.failed(failure, executableUntil);
		if (failure.isRetryable()) {
			this.line.refuseImpatient(turn, (waiter) -> storeFailed(failure));
		}
		else {
			this.line.refuseAll(turn, (waiter) -> storeFailed(failure));
		}
		if (this.line.head() == null) {
			giveUp(turn);
		}
		else {
			askLater(current.pauseToPoll(this.runtime.recheck));
		}
	}

	private void released(Object token, Grant ended, @Nullable AttemptId share, @Nullable LeaseHandle closed,
			@Nullable Successor successor, long sentAt, CompletableFuture<Boolean> outcome,
			@Nullable ReleaseReply reply, @Nullable Throwable thrown) {
		transition((turn) -> {
			boolean lost = reply instanceof ReleaseReply.NotOwner;
			if (closed != null) {
				settle(closed, lost, (reply == null) ? this.runtime.failure(thrown) : null, outcome, turn);
			}
			if (reply == null) {
				// Repeated until the store would have forgotten the grant anyway.
				long until = Clock.plus(sentAt, ended.ttl);
				if (share != null) {
					turn.then(() -> this.runtime.abandonEitherLater(this, ended.attempt(), share, until));
				}
				else {
					turn.then(() -> this.runtime.abandonLater(this, ended.attempt(), this.runtime.now(), until));
				}
			}
			if (this.flight != token) {
				return;
			}
			this.flight = null;
			if (reply instanceof ReleaseReply.Succeeded succeeded && successor != null) {
				long ttl = successor.ttl().toNanos();
				granted(turn, successor.attempt(), ttl, sentAt, succeeded.firstToken(), succeeded.tokens());
			}
			else if (reply instanceof ReleaseReply.Queued queued && successor != null) {
				turn.then(this::tellOfRemoteHandoff);
				waitInQueue(turn, successor, true, queued.queued(), 0);
			}
			else if (reply == null && successor != null) {
				// It may have been executed: then the successor is queued or has the
				// lock.
				waitInQueue(turn, successor, false, false, sentAt + timeoutNanos(ended.ttl));
			}
			else {
				if (reply instanceof ReleaseReply.Released released && released.reserved()) {
					turn.then(this::tellOfRemoteHandoff);
				}
				stepBack(turn);
			}
		});
	}

	private void cooled(Object token, LeaseHandle closed, long until, CompletableFuture<Boolean> outcome,
			@Nullable ReleaseReply reply, @Nullable Throwable thrown) {
		transition((turn) -> {
			boolean lost = reply instanceof ReleaseReply.NotOwner;
			settle(closed, lost, (reply == null) ? this.runtime.failure(thrown) : null, outcome, turn);
			if (reply == null) {
				turn.then(() -> this.runtime.keepLater(closed.hold.grant, until));
			}
			if (this.flight != token) {
				return;
			}
			this.flight = null;
			if (lost) {
				next(turn);
			}
			else {
				later(until - this.runtime.now(), this::coolingEnded);
			}
		});
	}

	private void extended(Grant extended, long ttl, long sentAt, @Nullable ExtendReply reply) {
		transition((turn) -> {
			try {
				if (this.grant != extended) {
					return;
				}
				extended.extending = false;
				if (reply instanceof ExtendReply.NotOwner) {
					lose(extended, LossReason.NOT_OWNER, turn);
					return;
				}
				long now = this.runtime.now();
				if (reply instanceof ExtendReply.Extended more
						&& extended.prolong(now, extended.deadlineOf(sentAt, ttl))) {
					extended.addTokens(more.firstToken(), more.tokens());
					extended.ttl = ttl;
					extended.turnStart = now;
					extended.undisturbed();
				}
				else {
					// Others wait, or the store is silent: the turn ends with this block.
					extended.yield = true;
					if (reply == null) {
						extended.unanswered(ttl);
					}
				}
				if (this.state == State.HANDING_OFF && this.flight == null) {
					handOn(turn, false, true);
				}
			}
			finally {
				// After the deadline was moved: a command with a shorter ttl must not be
				// sent
				// between the two.
				extended.armed();
			}
		});
	}

	private void rearmed(Object token, Grant rearmed, long ttl, long sentAt, @Nullable RenewReply reply) {
		transition((turn) -> {
			try {
				if (this.flight != token || this.grant != rearmed) {
					return;
				}
				this.flight = null;
				if (reply instanceof RenewReply.NotOwner) {
					lose(rearmed, LossReason.NOT_OWNER, turn);
				}
				else if (reply instanceof RenewReply.Renewed
						&& rearmed.prolong(this.runtime.now(), rearmed.deadlineOf(sentAt, ttl))) {
					rearmed.ttl = ttl;
					this.runtime.engine.watchdog().touch(rearmed);
					handOn(turn, true, true);
				}
				else {
					// The new ttl may or may not count: the next caller gets a new grant.
					release(turn, null, new CompletableFuture<>());
				}
			}
			finally {
				rearmed.armed();
			}
		});
	}

	// ---- What time and the watchdog bring

	@Override
	void signalled(@Nullable AttemptId signalled) {
		Turn turn = new Turn(this.key);
		mutex().lock();
		try {
			if (this.state == State.CONTENDING && (signalled == null || signalled.equals(attempt().id))) {
				if (this.flight == null) {
					ask(turn);
				}
				else {
					this.askAgain = true;
				}
			}
			else if (this.state == State.RELEASING) {
				// The release's answer will say what the signal is about.
				this.askAgain = true;
			}
		}
		finally {
			mutex().unlock();
		}
		turn.run();
	}

	@Override
	void revoked(AttemptId revoked) {
		transition((turn) -> {
			Grant current = this.grant;
			Downgrade pending = this.downgrade;
			if (current != null
					&& (current.attempt().equals(revoked) || (pending != null && pending.share.id.equals(revoked)))) {
				lose(current, LossReason.FORCE_RELEASED, turn);
			}
		});
	}

	/**
	 * A grant is known to be lost: refused by the store, or past its deadline.
	 */
	@Override
	void lost(Grant lost, LossReason reason) {
		transition((turn) -> {
			if (this.grant == lost) {
				lose(lost, reason, turn);
			}
		});
	}

	/**
	 * The store keeps a grant for another ttl than the one that its profile says, so the
	 * next hold must not rely on it.
	 * @return false if the deadline has passed meanwhile
	 */
	@Override
	boolean armed(Grant armed, long ttl, long sentAt) {
		mutex().lock();
		try {
			armed.ttl = ttl;
			return this.grant == armed && armed.prolong(this.runtime.now(), armed.deadlineOf(sentAt, ttl));
		}
		finally {
			mutex().unlock();
		}
	}

	private void timeToAsk(Turn turn) {
		if (this.state == State.CONTENDING && this.flight == null) {
			ask(turn);
		}
	}

	private void coolingEnded(Turn turn) {
		if (this.state == State.COOLING && this.flight == null) {
			next(turn);
		}
	}

	// ---- Transitions, under the mutex

	/**
	 * Goes on without a grant: to the store if somebody waits, else to rest.
	 */
	private void next(Turn turn) {
		this.grant = null;
		if (this.line.head() != null) {
			contend(turn);
		}
		else {
			rest();
		}
	}

	/**
	 * A turn is over. If the store has no queue, others may need some time without us to
	 * get theirs; callers that do not wait get their answer first.
	 */
	private void stepBack(Turn turn) {
		long pause = 0;
		if (this.pace != null) {
			long now = this.runtime.now();
			if (this.line.onlyPatient()) {
				pause = this.pace.afterTurn(now);
			}
			else if (this.line.head() == null) {
				this.pace.afterLastCaller(now);
			}
		}
		if (pause == 0) {
			next(turn);
		}
		else {
			leaveToOthers(turn, pause);
		}
	}

	/**
	 * Returns for how long a first caller has to leave the lock to others. One that does
	 * not wait, or not for much longer, would be refused a lock that may be free.
	 */
	private long othersFirst(Waiter first) {
		if (this.pace == null) {
			return 0;
		}
		long now = this.runtime.now();
		long pause = this.pace.resume(now);
		return (first.waits() && first.deadline - now > 2 * pause) ? pause : 0;
	}

	private void leaveToOthers(Turn turn, long pause) {
		this.grant = null;
		this.state = State.CONTENDING;
		this.attempt = new Attempt(AttemptId.random());
		// Those who come now find others before them.
		this.attempt.refused = true;
		this.askAgain = false;
		this.line.announce(turn);
		askLater(pause);
	}

	private void rest() {
		this.state = State.FREE;
		this.attempt = null;
		this.dead = true;
		cancelTimer();
		if (this.pace != null) {
			this.runtime.keep(this.key, this.pace);
		}
		this.runtime.remove(this);
	}

	private void contend(Turn turn) {
		this.state = State.CONTENDING;
		this.attempt = new Attempt(AttemptId.random());
		this.askAgain = false;
		ask(turn);
	}

	/**
	 * The successor of a released grant waits in the store's queue, or may do so.
	 * @param answered the store has said that others are first
	 * @param signals it will say when the successor's turn has come
	 */
	private void waitInQueue(Turn turn, Successor queued, boolean answered, boolean signals, long ghosts) {
		boolean signalled = this.askAgain;
		this.state = State.CONTENDING;
		Attempt next = new Attempt(queued.attempt());
		next.ttl = queued.ttl().toNanos();
		next.sentBefore = true;
		next.mayHaveTraces = true;
		next.haunted(ghosts);
		next.refused = answered;
		next.refusedByStore = answered;
		this.attempt = next;
		if (answered) {
			this.line.refuseImpatient(turn, this::busy);
			this.line.announce(turn);
		}
		if (this.line.head() == null) {
			giveUp(turn);
		}
		else if (signalled || !signals) {
			ask(turn);
		}
		else {
			askLater(Clock.jitter(this.runtime.recheck));
		}
	}

	/**
	 * Sends the attempt to the store, on behalf of the first caller in line.
	 */
	private void ask(Turn turn) {
		Waiter first = this.line.head();
		if (first == null) {
			giveUp(turn);
			return;
		}
		cancelTimer();
		this.askAgain = false;
		Attempt current = attempt();
		AttemptId asked = current.id;
		long ttl = first.profile.storeTtl();
		current.ttl = Math.max(ttl, current.ttl);
		int tokens = blockSize(this.line.size());
		boolean repeated = current.sentBefore;
		QueueingLockStore queue = (this.line.hasPatient()) ? this.runtime.queue : null;
		current.sentBefore = true;
		current.mayHaveTraces |= queue != null;
		// Not for who was told that others have the lock: that is contention.
		boolean degrades = !current.refusedByStore && this.runtime.engine.policies().degrades(this.key);
		Object token = fly();
		turn.then(() -> {
			long sentAt = this.runtime.now();
			AcquireCommand command = new AcquireCommand(this.key, asked, Duration.ofNanos(ttl), tokens, repeated,
					timeout(ttl));
			Supplier<CompletionStage<AcquireReply>> store = () -> (queue != null)
					? this.runtime.call(() -> queue.acquireOrEnqueue(command))
					: StoreBatch.acquire(this.runtime, command);
			CompletionStage<AcquireReply> stage = degrades ? this.runtime.fallback.acquire(this, command, store)
					: store.get();
			stage.whenComplete((reply, thrown) -> acquired(token, asked, ttl, sentAt, reply, thrown));
		});
	}

	private void askLater(long nanos) {
		later(nanos, this::timeToAsk);
	}

	/**
	 * Nobody wants the lock any more: the attempt must not leave anything in the store.
	 */
	private void giveUp(Turn turn) {
		Attempt ended = attempt();
		cancelTimer();
		if (!ended.mayHaveTraces) {
			this.attempt = null;
			next(turn);
			return;
		}
		this.state = State.RELEASING;
		Object token = fly();
		endAttempt(turn, ended.ttl);
		abandon(ended, turn, (after) -> {
			if (this.flight == token) {
				this.flight = null;
				next(after);
			}
		});
	}

	/**
	 * Gives the grant to the first caller in line; the grant is ours and nobody holds it.
	 * It is re-armed before, if the caller asks for another ttl or too little of it is
	 * left (rule E7).
	 * @param fresh the full ttl has just begun
	 * @param local the lock comes from another caller of this JVM
	 */
	private void handOn(Turn turn, boolean fresh, boolean local) {
		Grant current = grant();
		long now = this.runtime.now();
		Waiter next = this.line.head();
		while (next != null && current.hasToken()) {
			Profile profile = next.profile;
			boolean armed = suits(current, profile, now) || (fresh && current.ttl == profile.storeTtl());
			if (!armed && current.local) {
				current.ttl = profile.storeTtl();
				armed = current.prolong(now, current.deadlineOf(now, current.ttl));
			}
			if (!armed && current.certain(profile.storeTtl()) < profile.storeTtl()) {
				// A renewal without an answer may be executed after the re-arming.
				break;
			}
			if (!armed) {
				rearm(turn, current, profile.storeTtl());
				return;
			}
			this.line.pollHead();
			if (begin(turn, current, next, now, local)) {
				return;
			}
			next = this.line.head();
		}
		release(turn, null, new CompletableFuture<>());
	}

	private boolean begin(Turn turn, Grant current, Waiter next, long now, boolean local) {
		Hold begun = new Hold(current, next.owner, current.takeToken(), now, next.profile.terms());
		if (!next.grant(begun.opener)) {
			return false;
		}
		this.line.gone(next);
		this.line.starting(this.quick ? next : null);
		if (this.rate != null) {
			this.rate.granted(now, next.enteredAt);
		}
		current.hold = begun;
		this.state = State.HELD;
		if (current.startWatch()) {
			this.runtime.engine.watchdog().add(current);
		}
		turn.deliver(next);
		this.line.grantSameOwner(begun, next, now, turn);
		// Those that do not wait shared the answer that brought the grant (rule E9).
		this.line.refuseImpatient(turn, this::busy);
		// Those that came while the store was asked do not know yet that they wait.
		this.line.announce(turn);
		if (this.line.size() == 0 && this.line.starting() == null) {
			this.line = WaiterLine.NOBODY;
		}
		if (local) {
			turn.then(() -> this.runtime.listeners()
				.notify((listener) -> listener.onLocalHandoff(this.key, this.runtime.name())));
		}
		extendIfNeeded(turn);
		return true;
	}

	private void rearm(Turn turn, Grant current, long ttl) {
		this.state = State.HANDING_OFF;
		Object token = fly();
		turn.then(() -> sendRearm(token, current, ttl));
	}

	/**
	 * Commands that set a grant's ttl go out one after the other, since the last one
	 * executed is the one that counts.
	 */
	private void sendRearm(Object token, Grant current, long ttl) {
		if (!current.isAlive(this.runtime.now())) {
			lost(current, LossReason.EXPIRED);
			return;
		}
		if (current.ended) {
			return;
		}
		if (!current.tryArm()) {
			this.runtime.engine.timers().schedule(() -> sendRearm(token, current, ttl), MIN_PAUSE);
			return;
		}
		long sentAt = this.runtime.now();
		current.sending(Clock.plus(sentAt, ttl - Profile.drift(ttl)));
		RenewCommand command = new RenewCommand(this.key, current.attempt(), Duration.ofNanos(ttl), timeout(ttl));
		this.runtime.call(() -> this.runtime.store.renew(List.of(command)))
			.whenComplete((replies, thrown) -> rearmed(token, current, ttl, sentAt,
					(replies != null && !replies.isEmpty()) ? replies.get(0) : null));
	}

	/**
	 * Asks for the next block in the background while callers wait and at most half of
	 * this one is left (rule E8). It is larger the longer no other JVM has waited; the
	 * time of the turn bounds how long one that comes now has to wait (ADR 0028).
	 */
	private void extendIfNeeded(Turn turn) {
		Grant current = this.grant;
		int leases = this.runtime.engine.options().handoffLeases();
		if (current == null || current.local || current.extending || current.yield || leases == 1
				|| this.line.head() == null) {
			return;
		}
		if (this.pace != null) {
			// The store cannot know of others, and so this turn ends with its block.
			return;
		}
		long now = this.runtime.now();
		boolean halfTime = now - current.turnStart >= this.runtime.engine.options().handoffTime() / 2;
		if (!current.isHalfUsed() && !halfTime) {
			return;
		}
		// It renews as well, and so it must not do what the watchdog would not.
		Hold holder = hold();
		if (!this.runtime.engine.watchdog().wantsRenewal(holder, now) || !current.tryArm()) {
			return;
		}
		current.extending = true;
		int tokens = current.nextBlock(leases, LARGEST_BLOCK);
		long ttl = Math.max(current.ttl, holder.renewalTtl(now));
		turn.then(() -> {
			long sentAt = this.runtime.now();
			current.sending(Clock.plus(sentAt, ttl - Profile.drift(ttl)));
			ExtendCommand command = new ExtendCommand(this.key, current.attempt(), Duration.ofNanos(ttl), tokens,
					timeout(ttl));
			this.runtime.call(() -> this.runtime.store.extend(command))
				.whenComplete((reply, thrown) -> extended(current, ttl, sentAt, reply));
		});
	}

	/**
	 * Gives the grant back to the store; if callers are left, their next attempt goes to
	 * the end of the store's queue in the same step.
	 */
	private void release(Turn turn, @Nullable LeaseHandle closed, CompletableFuture<Boolean> outcome) {
		Grant ended = grant();
		unwatch(ended);
		this.grant = null;
		this.state = State.RELEASING;
		this.askAgain = false;
		Waiter next = this.line.head();
		QueueingLockStore queue = (this.line.hasPatient() && !ended.local) ? this.runtime.queue : null;
		Successor successor = (next != null && queue != null) ? new Successor(AttemptId.random(),
				Duration.ofNanos(next.profile.storeTtl()), blockSize(this.line.size())) : null;
		Object token = fly();
		AttemptId share = endDowngrade(true, turn);
		turn.then(() -> {
			long sentAt = this.runtime.now();
			ReleaseCommand command = new ReleaseCommand(this.key, ended.attempt(), Duration.ZERO, timeout(ended.ttl));
			CompletionStage<ReleaseReply> stage;
			if (ended.local) {
				stage = CompletableFuture.completedFuture(new ReleaseReply.Released(false));
			}
			else {
				stage = (successor != null && queue != null)
						? this.runtime.call(() -> queue.releaseAndEnqueue(command, successor))
						: StoreBatch.release(this.runtime, command);
				if (share != null) {
					stage = this.runtime.releaseEither(stage,
							new ReleaseCommand(this.key, share, Duration.ZERO, timeout(ended.ttl)));
				}
			}
			stage.whenComplete((reply, thrown) -> released(token, ended, share, closed, successor, sentAt, outcome,
					reply, thrown));
		});
		endAttempt(turn, ended.ttl);
	}

	private void endAttempt(Turn turn, long ttl) {
		Attempt ended = this.attempt;
		this.attempt = null;
		if (ended != null) {
			sweepGhosts(ended, ttl, turn);
		}
	}

	private void expireIfDue(Turn turn) {
		Grant current = this.grant;
		if (current != null && !current.isAlive(this.runtime.now())) {
			lose(current, LossReason.EXPIRED, turn);
		}
	}

	/**
	 * Ends a grant that is gone, with all its leases, and starts the next generation
	 * (rule E3).
	 */
	private void lose(Grant lost, LossReason reason, Turn turn) {
		unwatch(lost);
		lost.expire();
		AttemptId share = endDowngrade(reason == LossReason.EXPIRED, turn);
		if (share != null && reason == LossReason.EXPIRED) {
			long until = Clock.plus(this.runtime.now(), lost.ttl);
			turn.then(() -> this.runtime.abandonEitherLater(this, lost.attempt(), share, until));
		}
		Hold held = lost.hold;
		this.grant = null;
		this.flight = null;
		endAttempt(turn, lost.ttl);
		lost.hold = null;
		if (held == null) {
			forget(lost, reason, turn);
		}
		else {
			loseHold(held, reason, turn);
		}
		next(turn);
	}

	// ---- Small things, under the mutex

	private Object fly() {
		Object token = new Object();
		this.flight = token;
		return token;
	}

	@Override
	protected LockNotAcquiredException refusal(Reason reason, Waiter waiter) {
		Hold current = (this.grant != null) ? this.grant.hold : null;
		String who = "";
		if (current != null) {
			who = "held by " + current.owner + " of this instance";
		}
		else if (this.state == State.COOLING) {
			long left = Math.max(0, this.coolUntil - this.runtime.now());
			who = "kept after its release, by keep or its min-hold, for another " + Duration.ofNanos(left).toMillis()
					+ "ms";
		}
		else if (this.state == State.CONTENDING) {
			who = attempt().holder;
		}
		return refusal(reason, waiter, who);
	}

	/**
	 * More tokens than callers: who is served mostly comes again before the turn is over,
	 * and a turn that ends early costs all JVMs a way through the store. A lone caller
	 * needs no block.
	 */
	private int blockSize(int callers) {
		return (callers <= 1) ? 1
				: Math.min(this.runtime.engine.options().handoffLeases(), callers * TOKENS_PER_CALLER);
	}

	private Grant grant() {
		return Objects.requireNonNull(this.grant, "grant");
	}

	private Hold hold() {
		return Objects.requireNonNull(grant().hold, "hold");
	}

	private Attempt attempt() {
		return Objects.requireNonNull(this.attempt, "attempt");
	}

	// ---- What operators see

	@Override
	List<HeldLock> held() {
		mutex().lock();
		try {
			Hold current = (this.grant != null) ? this.grant.hold : null;
			return (current == null) ? List.of() : List.of(show(current, this.line.size()));
		}
		finally {
			mutex().unlock();
		}
	}

	@Override
	@Nullable WaitedLock waited() {
		mutex().lock();
		try {
			return waited(this.line.head(), this.line.size());
		}
		finally {
			mutex().unlock();
		}
	}

	@Override
	boolean isBusy() {
		mutex().lock();
		try {
			return this.state != State.FREE && (this.state != State.COOLING || this.flight != null);
		}
		finally {
			mutex().unlock();
		}
	}

}
