package io.distributedlock.engine;

import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;

import io.distributedlock.LockInspector.HeldLock;
import io.distributedlock.LockInspector.WaitedLock;
import io.distributedlock.LockKey;
import io.distributedlock.LockNotAcquiredException;
import io.distributedlock.LockNotAcquiredException.Reason;
import io.distributedlock.LossReason;
import io.distributedlock.spi.AcquireCommand;
import io.distributedlock.spi.AcquireReply;
import io.distributedlock.spi.AttemptId;
import io.distributedlock.spi.FairLockStore;
import io.distributedlock.spi.ReleaseCommand;
import io.distributedlock.spi.ReleaseReply;
import io.distributedlock.spi.SharedAcquireCommand;
import io.distributedlock.spi.StoreException;
import org.jspecify.annotations.Nullable;

/**
 * A gate whose callers each have an attempt of their own in the store: those that want
 * strict order (rule S4), those that want a permit, and readers whose grants are not
 * renewed. The store decides whose turn it is; nothing is handed on without it.
 *
 * <h2>The life of a seat</h2> <pre>
 * WAITING --granted, or passed on by a release--> HOLDING --closed--> (gone)
 *    |                                               |
 *    +--refused, left, timed out--> (gone)           +--lost--> (gone)
 * </pre>
 * <ul>
 * <li>A waiting {@link Seat} is asked for when it is new, when a signal comes for it, and
 * again and again while it waits, since signals may be lost and the store forgets places
 * that are not refreshed. {@link Seat#asked} says that a command is under way. There is
 * never a second one for the same seat; what comes up meanwhile makes it
 * {@linkplain Seat#due due} once more.</li>
 * <li>Seats in strict order are asked for together, one command at a time, in the order
 * in which they came: two commands could overtake each other.</li>
 * <li>A caller's fate is one compare-and-set in {@link Waiter}. A seat whose caller has
 * gone is abandoned as soon as no command is under way for it, so that a late grant does
 * not stay.</li>
 * <li>A release may bring the lock to another seat ({@link ReleaseReply.Passed}) while a
 * question for that seat is under way. Then the seat holds, and the answer to the
 * question is not looked at: the store gives the same attempt nothing twice.</li>
 * <li>Deadlines count from before sending; a grant that is answered later than that is
 * abandoned, and its caller waits on with a new attempt.</li>
 * </ul>
 * All fields are guarded by the {@linkplain StoreRuntime#mutex mutex} of the key.
 */
final class CallerGate extends KeyGate {

	private final Way way;

	/** Those that wait, in the order in which they came. */
	private final Map<AttemptId, Seat> waiting = new LinkedHashMap<>();

	private final Map<AttemptId, Seat> holding = new LinkedHashMap<>();

	/** When those that wait are asked for. */
	private final Agenda agenda = new Agenda();

	/** Commands under way that give something back. */
	private int closing;

	/** A question for seats in strict order is under way. */
	private boolean asking;

	private boolean dead;

	/** When the timer fires. */
	private long timerAt;

	CallerGate(StoreRuntime runtime, LockKey key, Way way) {
		super(runtime, key);
		this.way = way;
	}

	@Override
	boolean isShared() {
		return this.way.isShared();
	}

	@Override
	boolean isForReaders() {
		return this.way.kind() == Way.Kind.SINGLE_READER;
	}

	private boolean isInOrder() {
		return this.way.kind() == Way.Kind.IN_ORDER;
	}

	// ---- What callers do

	@Override
	boolean enter(Waiter waiter) {
		Turn turn = new Turn(this.key);
		boolean taken;
		mutex().lock();
		try {
			taken = !this.dead;
			if (taken && !nestInHold(waiter, turn)) {
				takeIn(waiter, turn);
			}
		}
		finally {
			mutex().unlock();
		}
		turn.run();
		return taken;
	}

	private boolean nestInHold(Waiter waiter, Turn turn) {
		if (!waiter.sharesOwner) {
			return false;
		}
		long now = this.runtime.now();
		for (Seat seat : this.holding.values()) {
			Hold hold = seat.hold();
			if (hold.owner == waiter.owner && hold.isHeld(now)) {
				nest(hold, waiter, turn);
				return true;
			}
		}
		return false;
	}

	private void takeIn(Waiter waiter, Turn turn) {
		if (!waiter.waits() && isKnownBusy(waiter)) {
			refuse(waiter, turn, busy(waiter));
			dieIfIdle();
			return;
		}
		Seat seat = new Seat(waiter);
		waiter.seat = seat;
		sit(seat);
		askDue(turn);
	}

	/** What this JVM holds and waits for is enough to refuse a caller at once. */
	private boolean isKnownBusy(Waiter waiter) {
		long now = this.runtime.now();
		long alive = this.holding.values().stream().filter((seat) -> seat.hold().isHeld(now)).count();
		return switch (this.way.kind()) {
			case IN_ORDER -> alive > 0 || !this.waiting.isEmpty();
			case PERMITS -> alive >= waiter.profile.permits();
			default -> false;
		};
	}

	private void sit(Seat seat) {
		this.agenda.add(seat);
		this.waiting.put(seat.attempt.id, seat);
		this.runtime.register(seat.attempt.id, this);
	}

	@Override
	void left(Waiter waiter) {
		transition((turn) -> {
			Seat seat = waiter.seat;
			if (seat != null && !seat.asked) {
				drop(seat, turn);
			}
		});
	}

	@Override
	protected @Nullable StoreException outage(Waiter waiter) {
		return (waiter.seat != null) ? waiter.seat.attempt.outage : null;
	}

	@Override
	protected boolean isAnswered(Waiter waiter) {
		return waiter.seat != null && waiter.seat.attempt.refused;
	}

	@Override
	void shutDown() {
		transition((turn) -> {
			for (Seat seat : List.copyOf(this.waiting.values())) {
				refuse(seat.waiter, turn, refusal(Reason.SHUTTING_DOWN, seat.waiter));
				if (!seat.asked) {
					drop(seat, turn);
				}
			}
		});
	}

	@Override
	Closing close(LeaseHandle lease) {
		Turn turn = new Turn(this.key);
		Closing result;
		mutex().lock();
		try {
			Hold closed = lease.hold;
			Grant grant = closed.grant;
			Seat seat = this.holding.get(grant.attempt());
			if (seat != null && !grant.isAlive(this.runtime.now())) {
				lose(seat, LossReason.EXPIRED, turn);
			}
			boolean last = closed.close(lease);
			if (closed.state != Hold.State.HELD || seat == null) {
				result = Closing.LOST;
				if (last) {
					forget(grant, closed.lossReason, turn);
				}
			}
			else {
				result = last ? end(seat, lease, turn) : Closing.NESTED;
			}
		}
		finally {
			mutex().unlock();
		}
		turn.run();
		return result;
	}

	private Closing end(Seat seat, LeaseHandle last, Turn turn) {
		Hold ended = last.hold;
		ended.state = Hold.State.CLOSING;
		stopHolding(seat, turn);
		CompletableFuture<Boolean> reply = new CompletableFuture<>();
		long until = ended.minHoldEnd();
		boolean keep = until > this.runtime.now();
		long nextTtl = (isInOrder() && !keep) ? longestTtl() : 0;
		this.closing++;
		turn.then(() -> {
			long sentAt = this.runtime.now();
			Duration keepFor = keep ? Duration.ofNanos(Math.max(1_000_000, until - sentAt)) : Duration.ZERO;
			ReleaseCommand command = new ReleaseCommand(this.key, seat.attempt.id, keepFor, timeout(ended.grant.ttl));
			(nextTtl > 0 ? this.runtime.call(() -> fair().releaseInOrder(command, Duration.ofNanos(nextTtl)))
					: this.runtime.release(isShared(), command))
				.whenComplete(
						(answer, thrown) -> released(last, keep ? until : 0, nextTtl, sentAt, reply, answer, thrown));
		});
		return new Closing(true, true, reply);
	}

	/** Whoever of this JVM is next gets its own ttl at least. */
	private long longestTtl() {
		long longest = 0;
		for (Seat seat : this.waiting.values()) {
			longest = Math.max(longest, seat.waiter.profile.storeTtl());
		}
		return longest;
	}

	// ---- What the store answers

	/**
	 * @param asked with which attempt the question was asked; the seat may have a new one
	 * @param executableUntil when the command can be executed no more
	 */
	private void answered(Seat seat, Attempt asked, long ttl, long sentAt, long executableUntil,
			@Nullable AcquireReply reply, @Nullable Throwable thrown, Turn turn) {
		this.agenda.answered(seat);
		if (this.waiting.get(asked.id) != seat) {
			answeredTooLate(seat, asked, ttl, executableUntil, reply, thrown, turn);
			return;
		}
		Attempt attempt = seat.attempt;
		if (reply instanceof AcquireReply.Granted granted) {
			attempt.mayHaveTraces = true;
			attempt.outage = null;
			granted(seat, ttl, Clock.plus(sentAt, ttl - Profile.drift(ttl)), granted.firstToken(), turn);
		}
		else if (reply instanceof AcquireReply.Refused no) {
			refused(seat, no, turn);
		}
		else {
			failed(seat, this.runtime.failure(thrown), executableUntil, turn);
		}
	}

	/**
	 * A release has brought the lock to the seat meanwhile. If it has given it back too,
	 * or could not use it, the question may have made the store give the attempt
	 * something once more.
	 */
	private void answeredTooLate(Seat seat, Attempt asked, long ttl, long executableUntil, @Nullable AcquireReply reply,
			@Nullable Throwable thrown, Turn turn) {
		if (reply == null) {
			asked.unanswered(this.runtime.failure(thrown), executableUntil);
		}
		if (this.holding.get(asked.id) != seat) {
			long at = Math.max(asked.ghostUntil(), this.runtime.now());
			turn.then(() -> this.runtime.abandonLater(this, asked.id, at, Clock.plus(at, ttl)));
		}
	}

	private void granted(Seat seat, long ttl, long deadline, long token, Turn turn) {
		long now = this.runtime.now();
		Waiter waiter = seat.waiter;
		if (now >= deadline) {
			// Too late to be used (rule E5).
			giveUp(seat, turn);
			if (waiter.isWaiting()) {
				seat.attempt = new Attempt(AttemptId.random());
				sit(seat);
			}
			return;
		}
		Grant grant = new Grant(this, seat.attempt.id, ttl, deadline, token, 1, now);
		Hold begun = new Hold(grant, waiter.owner, grant.takeToken(), now, waiter.profile.terms());
		if (!waiter.grant(begun.opener)) {
			giveUp(seat, turn);
			return;
		}
		this.agenda.remove(seat);
		this.waiting.remove(seat.attempt.id);
		this.holding.put(seat.attempt.id, seat);
		seat.hold = begun;
		grant.hold = begun;
		if (grant.startWatch()) {
			this.runtime.engine.watchdog().add(grant);
		}
		turn.deliver(waiter);
		nestWaiting(begun, turn);
	}

	/**
	 * Others who wait on behalf of the same owner need no turn of their own (rule E11).
	 */
	private void nestWaiting(Hold begun, Turn turn) {
		for (Seat other : List.copyOf(this.waiting.values())) {
			if (other.waiter.owner == begun.owner && other.waiter.isWaiting()) {
				nest(begun, other.waiter, turn);
				if (!other.asked) {
					drop(other, turn);
				}
			}
		}
	}

	private void refused(Seat seat, AcquireReply.Refused no, Turn turn) {
		Attempt attempt = seat.attempt;
		Waiter waiter = seat.waiter;
		attempt.refused(no);
		if (!waiter.isWaiting()) {
			drop(seat, turn);
		}
		else if (!waiter.waits()) {
			refuse(waiter, turn, busy(waiter));
			drop(seat, turn);
		}
		else {
			if (!waiter.busy) {
				waiter.busy = true;
				turn.deliver(waiter);
			}
			long pause = no.queued() ? Clock.jitter(this.runtime.recheck) : attempt.pauseToPoll(this.runtime.recheck);
			if (isFirst(seat)) {
				// When what is there expires, the queue has to be moved on.
				pause = Math.min(pause, no.freeIn().toNanos() + MIN_PAUSE);
			}
			dueIn(seat, Math.max(MIN_PAUSE, pause));
		}
	}

	private void failed(Seat seat, StoreException failure, long executableUntil, Turn turn) {
		Attempt attempt = seat.attempt;
		attempt.failed(failure, executableUntil);
		Waiter waiter = seat.waiter;
		if (waiter.isWaiting() && (!failure.isRetryable() || !waiter.waits())) {
			refuse(waiter, turn, storeFailed(failure));
		}
		if (waiter.isWaiting()) {
			dueIn(seat, attempt.pauseToPoll(this.runtime.recheck));
		}
		else {
			drop(seat, turn);
		}
	}

	private void released(LeaseHandle closed, long keptUntil, long nextTtl, long sentAt,
			CompletableFuture<Boolean> outcome, @Nullable ReleaseReply reply, @Nullable Throwable thrown) {
		transition((turn) -> {
			this.closing--;
			Grant ended = closed.hold.grant;
			StoreException silence = (reply != null) ? null : this.runtime.failure(thrown);
			settle(closed, reply instanceof ReleaseReply.NotOwner, silence, outcome, turn);
			if (silence != null && keptUntil != 0) {
				turn.then(() -> this.runtime.keepLater(ended, keptUntil));
			}
			else if (silence != null) {
				turn.then(() -> this.runtime.abandonLater(this, ended.attempt(), this.runtime.now(),
						Clock.plus(sentAt, ended.ttl)));
			}
			if (reply instanceof ReleaseReply.Passed passed) {
				passed(passed, nextTtl, sentAt, turn);
			}
			else if (reply instanceof ReleaseReply.Released released && released.reserved()) {
				turn.then(this::tellOfRemoteHandoff);
			}
			askDue(turn);
			dieIfIdle();
		});
	}

	private void passed(ReleaseReply.Passed passed, long ttl, long sentAt, Turn turn) {
		Seat next = this.waiting.get(passed.attempt());
		if (next == null) {
			// Its caller has left.
			turn.then(() -> this.runtime.abandonLater(this, passed.attempt(), 0, Clock.plus(sentAt, ttl)));
			return;
		}
		next.attempt.mayHaveTraces = true;
		next.attempt.ttl = Math.max(next.attempt.ttl, ttl);
		long own = next.waiter.profile.storeTtl();
		if (own > ttl) {
			// It came when the release was on its way, and asks for its own ttl now.
			this.agenda.due(next);
			return;
		}
		granted(next, ttl, Clock.plus(sentAt, own - Profile.drift(own)), passed.token(), turn);
		if (this.holding.get(passed.attempt()) == next) {
			turn.then(() -> this.runtime.listeners()
				.notify((listener) -> listener.onLocalHandoff(this.key, this.runtime.name())));
		}
	}

	// ---- What time, signals and the watchdog bring

	@Override
	void signalled(@Nullable AttemptId signalled) {
		transition((turn) -> {
			if (signalled == null) {
				this.waiting.values().forEach(this.agenda::due);
			}
			else {
				Seat seat = this.waiting.get(signalled);
				if (seat != null) {
					this.agenda.due(seat);
				}
			}
			askDue(turn);
		});
	}

	@Override
	void revoked(AttemptId revoked) {
		transition((turn) -> {
			Seat seat = this.holding.get(revoked);
			if (seat != null) {
				lose(seat, LossReason.FORCE_RELEASED, turn);
			}
		});
	}

	@Override
	void lost(Grant lost, LossReason reason) {
		transition((turn) -> {
			Seat seat = this.holding.get(lost.attempt());
			if (seat != null) {
				lose(seat, reason, turn);
			}
		});
	}

	@Override
	boolean armed(Grant armed, long ttl, long sentAt) {
		mutex().lock();
		try {
			armed.ttl = ttl;
			return this.holding.containsKey(armed.attempt())
					&& armed.prolong(this.runtime.now(), armed.deadlineOf(sentAt, ttl));
		}
		finally {
			mutex().unlock();
		}
	}

	private void timeToAsk(Turn turn) {
		this.agenda.wake(this.runtime.now());
		askDue(turn);
		setTimer();
	}

	// ---- Under the mutex

	private void askDue(Turn turn) {
		if (!isInOrder()) {
			this.agenda.takeAll().forEach((seat) -> askForShare(seat, turn));
			return;
		}
		this.agenda.takeImpatient().forEach((seat) -> askOnce(seat, turn));
		if (!this.asking) {
			List<Seat> inOrder = this.agenda.takePatient();
			if (!inOrder.isEmpty()) {
				askInOrder(inOrder, turn);
			}
		}
	}

	private long prepare(Seat seat, boolean queues) {
		long ttl = seat.waiter.profile.storeTtl();
		seat.attempt.ttl = Math.max(seat.attempt.ttl, ttl);
		seat.attempt.mayHaveTraces |= queues;
		return ttl;
	}

	private AcquireCommand command(Seat seat, long ttl) {
		boolean repeated = seat.attempt.sentBefore;
		seat.attempt.sentBefore = true;
		return new AcquireCommand(this.key, seat.attempt.id, Duration.ofNanos(ttl), 1, repeated, timeout(ttl));
	}

	/** For a caller that does not wait, and so wants no place in the queue. */
	private void askOnce(Seat seat, Turn turn) {
		long ttl = prepare(seat, false);
		Attempt asked = seat.attempt;
		AcquireCommand command = command(seat, ttl);
		turn.then(() -> {
			long sentAt = this.runtime.now();
			this.runtime.call(() -> this.runtime.store.acquire(command))
				.whenComplete((reply, thrown) -> answered(seat, asked, ttl, sentAt, reply, thrown));
		});
	}

	private void askForShare(Seat seat, Turn turn) {
		boolean queues = seat.waiter.waits();
		long ttl = prepare(seat, queues);
		Attempt asked = seat.attempt;
		SharedAcquireCommand command = new SharedAcquireCommand(this.key, seat.attempt.id,
				this.way.share(seat.waiter.profile), Duration.ofNanos(ttl), queues, timeout(ttl));
		turn.then(() -> {
			long sentAt = this.runtime.now();
			this.runtime.call(() -> this.runtime.sharing().acquireShared(command))
				.whenComplete((reply, thrown) -> answered(seat, asked, ttl, sentAt, reply, thrown));
		});
	}

	private void answered(Seat seat, Attempt asked, long ttl, long sentAt, @Nullable AcquireReply reply,
			@Nullable Throwable thrown) {
		transition((turn) -> {
			answered(seat, asked, ttl, sentAt, sentAt + timeoutNanos(ttl), reply, thrown, turn);
			askDue(turn);
			dieIfIdle();
		});
	}

	private void askInOrder(List<Seat> seats, Turn turn) {
		this.asking = true;
		List<AcquireCommand> commands = new ArrayList<>(seats.size());
		List<Attempt> asked = new ArrayList<>(seats.size());
		long longest = 0;
		for (Seat seat : seats) {
			long ttl = prepare(seat, true);
			commands.add(command(seat, ttl));
			asked.add(seat.attempt);
			longest = Math.max(longest, timeoutNanos(ttl));
		}
		// They are executed together, as long as any of them may be.
		long executable = longest;
		turn.then(() -> {
			long sentAt = this.runtime.now();
			this.runtime.call(() -> fair().acquireInOrder(commands)).whenComplete((replies, thrown) -> {
				boolean complete = replies != null && replies.size() == seats.size();
				transition((after) -> {
					this.asking = false;
					for (int i = 0; i < seats.size(); i++) {
						answered(seats.get(i), asked.get(i), commands.get(i).ttl().toNanos(), sentAt,
								sentAt + executable, complete ? Objects.requireNonNull(replies).get(i) : null, thrown,
								after);
					}
					askDue(after);
					dieIfIdle();
				});
			});
		});
	}

	private boolean isFirst(Seat seat) {
		return this.waiting.values().iterator().next() == seat;
	}

	private void dueIn(Seat seat, long pause) {
		this.agenda.dueAt(seat, Clock.plus(this.runtime.now(), pause));
		setTimer();
	}

	/** Fires when the first seat is due. */
	private void setTimer() {
		long first = this.agenda.next();
		if (first == Long.MAX_VALUE) {
			cancelTimer();
		}
		else if (!hasTimer() || this.timerAt > first) {
			this.timerAt = first;
			later(first - this.runtime.now(), this::timeToAsk);
		}
	}

	/** The caller has gone: the attempt must not leave anything in the store. */
	private void drop(Seat seat, Turn turn) {
		if (this.waiting.get(seat.attempt.id) == seat) {
			giveUp(seat, turn);
			setTimer();
			dieIfIdle();
		}
	}

	private void giveUp(Seat seat, Turn turn) {
		Attempt ended = seat.attempt;
		this.agenda.remove(seat);
		this.waiting.remove(ended.id);
		this.runtime.unregister(ended.id);
		sweepGhosts(ended, ended.ttl, turn);
		if (ended.mayHaveTraces) {
			this.closing++;
			abandon(ended, turn, (after) -> {
				this.closing--;
				dieIfIdle();
			});
		}
	}

	private void stopHolding(Seat seat, Turn turn) {
		this.holding.remove(seat.attempt.id);
		this.runtime.unregister(seat.attempt.id);
		unwatch(seat.hold().grant);
		sweepGhosts(seat.attempt, seat.attempt.ttl, turn);
	}

	private void lose(Seat seat, LossReason reason, Turn turn) {
		Hold held = seat.hold();
		stopHolding(seat, turn);
		held.grant.expire();
		held.grant.hold = null;
		loseHold(held, reason, turn);
		dieIfIdle();
	}

	private void dieIfIdle() {
		if (!this.dead && this.waiting.isEmpty() && this.holding.isEmpty() && this.closing == 0) {
			this.dead = true;
			setTimer();
			this.runtime.remove(this.way, this);
		}
	}

	private FairLockStore fair() {
		return (FairLockStore) this.runtime.store;
	}

	@Override
	protected LockNotAcquiredException refusal(Reason reason, Waiter waiter) {
		return refusal(reason, waiter, holder(waiter.seat));
	}

	private String holder(@Nullable Seat refused) {
		if (!this.holding.isEmpty()) {
			Seat first = this.holding.values().iterator().next();
			return "held by " + first.hold().owner + " of this instance"
					+ ((this.holding.size() > 1) ? " and " + (this.holding.size() - 1) + " more" : "");
		}
		return (refused != null) ? refused.attempt.holder : "";
	}

	// ---- What operators see

	@Override
	List<HeldLock> held() {
		mutex().lock();
		try {
			return this.holding.values().stream().map((seat) -> show(seat.hold(), this.waiting.size())).toList();
		}
		finally {
			mutex().unlock();
		}
	}

	@Override
	@Nullable WaitedLock waited() {
		mutex().lock();
		try {
			return this.waiting.isEmpty() ? null
					: waited(this.waiting.values().iterator().next().waiter, this.waiting.size());
		}
		finally {
			mutex().unlock();
		}
	}

	@Override
	boolean isBusy() {
		mutex().lock();
		try {
			return !this.dead;
		}
		finally {
			mutex().unlock();
		}
	}

}
