package io.distributedlock.engine;

import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;

import io.distributedlock.LockInspector.HeldLock;
import io.distributedlock.LockInspector.WaitedLock;
import io.distributedlock.LockKey;
import io.distributedlock.LockNotAcquiredException;
import io.distributedlock.LockNotAcquiredException.Reason;
import io.distributedlock.LossReason;
import io.distributedlock.spi.AcquireReply;
import io.distributedlock.spi.AttemptId;
import io.distributedlock.spi.ExtendCommand;
import io.distributedlock.spi.ExtendReply;
import io.distributedlock.spi.ReleaseCommand;
import io.distributedlock.spi.ReleaseReply;
import io.distributedlock.spi.Share;
import io.distributedlock.spi.SharedAcquireCommand;
import io.distributedlock.spi.StoreException;
import org.jspecify.annotations.Nullable;

/**
 * The gate of readers. All readers of this JVM share one grant of the store, a
 * {@link Room}, each with a hold of its own (rule S3).
 *
 * <h2>Rooms</h2> <pre>
 * (granted) --> OPEN --a writer waits, or the turn is over--> CLOSED --last reader leaves--> (released)
 *                 |                                                          ^
 *                 +--last reader leaves-------------------------------------+
 * </pre>
 * <ul>
 * <li>Readers that come join the open room without asking anybody. There is at most one;
 * closed ones may exist beside it until their readers have left.</li>
 * <li>A writer of another JVM must not be starved. A room is open for the length of a
 * turn; when half of it is over and readers still come, the store is asked for another
 * turn, which it refuses if anybody waits. Then the room closes, and readers that come
 * later wait behind the writer with a new attempt of this JVM.</li>
 * <li>While no answer about the next turn is there, readers that come after the end of
 * this one wait in line for it.</li>
 * <li>One attempt at a time asks for a new room, on behalf of all in line. It is the
 * gate's, not a caller's. At most one command of it is under way ({@link #flight}).</li>
 * <li>The watchdog renews a room as long as any of its readers wants it; that one stands
 * in {@link Grant#hold}. A reader that has stayed for longer than its max-hold and ttl
 * has lost its lease ({@link Hold#isOverdue}), however long others keep the room
 * alive.</li>
 * <li>A writer that goes on as a reader brings a room with it ({@link #adopt}): its
 * {@link Gate} has asked the store for the share, and gives it here when it is known to
 * be there. Others may be waiting in the store, so its turn counts as over: who wants to
 * join asks first.</li>
 * </ul>
 * All fields are guarded by the {@linkplain StoreRuntime#mutex mutex} of the key.
 */
final class ReaderGate extends KeyGate {

	private final Way way;

	private WaiterLine line = new WaiterLine();

	/** The room that readers may join, null if there is none. */
	private @Nullable Room open;

	/** Rooms that are closed to newcomers and not empty yet. */
	private final Set<Room> closed = new LinkedHashSet<>(2);

	/** Asks for the next room, null if nobody needs one. */
	private @Nullable Attempt attempt;

	/** Token of the attempt's command that is under way, null if none is. */
	private @Nullable Object flight;

	/** A signal came while the answer was on its way. */
	private boolean askAgain;

	/** Commands under way that give something back, and writers that may come. */
	private int closing;

	private boolean dead;

	ReaderGate(StoreRuntime runtime, LockKey key, Way way) {
		super(runtime, key);
		this.way = way;
	}

	@Override
	boolean isShared() {
		return true;
	}

	@Override
	boolean isForReaders() {
		return true;
	}

	// ---- What callers do

	@Override
	boolean enter(Waiter waiter) {
		Turn turn = new Turn(this.key);
		boolean taken;
		mutex().lock();
		try {
			// An expired room without waiters is the end of this gate.
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
		long now = this.runtime.now();
		Room room = this.open;
		if (nestInRoom(waiter, now, turn)) {
			return;
		}
		if (room == null) {
			Attempt current = this.attempt;
			if (current != null && !waiter.waits() && (current.refused || current.outage != null)) {
				refuse(waiter, turn, (current.outage != null) ? storeFailed(current.outage) : busy(waiter));
				return;
			}
			this.line.add(waiter, current != null && current.refused);
			if (current == null) {
				contend(turn);
			}
			return;
		}
		long turnTime = this.runtime.engine.options().handoffTime();
		long age = now - room.turnStart;
		boolean solid = room.remaining(now) >= room.ttl / 2;
		if (solid && age < turnTime) {
			join(room, waiter, now, turn);
			if (age >= turnTime / 2) {
				askForAnotherTurn(room, turn);
			}
		}
		else if (solid) {
			this.line.add(waiter, false);
			askForAnotherTurn(room, turn);
		}
		else {
			// It may end before it is renewed: who comes now needs a better one.
			closeRoom(room);
			this.line.add(waiter, false);
			contendIfSomebodyWaits(turn);
		}
	}

	private void expireIfDue(Turn turn) {
		Room room = this.open;
		if (room != null && !room.isAlive(this.runtime.now())) {
			lose(room, LossReason.EXPIRED, turn);
		}
	}

	private boolean nestInRoom(Waiter waiter, long now, Turn turn) {
		Room room = this.open;
		Hold held = (room != null) ? room.readers.get(waiter.owner) : null;
		for (Room other : this.closed) {
			held = (held != null) ? held : other.readers.get(waiter.owner);
		}
		if (held == null || !held.isHeld(now)) {
			return false;
		}
		nest(held, waiter, turn);
		return true;
	}

	/**
	 * Lets a reader in.
	 * @return false if it has left meanwhile
	 */
	private boolean join(Room room, Waiter waiter, long now, Turn turn) {
		Hold begun = new Hold(room, waiter.owner, room.token, now, waiter.profile.terms());
		if (!waiter.grant(begun.opener)) {
			return false;
		}
		Hold overdue = room.readers.put(waiter.owner, begun);
		if (overdue != null) {
			// Its owner has stayed too long and comes again.
			room.lostReaders++;
			loseHold(overdue, LossReason.MAX_HOLD, turn);
		}
		if (room.hold == null || room.hold == overdue) {
			room.hold = begun;
		}
		turn.deliver(waiter);
		return true;
	}

	@Override
	void left(Waiter waiter) {
		transition((turn) -> {
			this.line.gone(waiter);
			giveUpIfNobodyWaits(turn);
		});
	}

	@Override
	protected @Nullable StoreException outage(Waiter waiter) {
		return (this.attempt != null) ? this.attempt.outage : null;
	}

	@Override
	protected boolean isAnswered(Waiter waiter) {
		return waiter.busy;
	}

	@Override
	void shutDown() {
		transition((turn) -> {
			this.line.refuseAll(turn, (waiter) -> refusal(Reason.SHUTTING_DOWN, waiter));
			giveUpIfNobodyWaits(turn);
		});
	}

	@Override
	Closing close(LeaseHandle lease) {
		Turn turn = new Turn(this.key);
		Closing result;
		mutex().lock();
		try {
			Hold hold = lease.hold;
			Room room = (Room) hold.grant;
			long now = this.runtime.now();
			if (!room.isAlive(now) && !room.ended) {
				lose(room, LossReason.EXPIRED, turn);
			}
			else if (hold.state == Hold.State.HELD && hold.isOverdue(now)) {
				loseReader(room, hold, turn);
			}
			boolean last = hold.close(lease);
			if (hold.state != Hold.State.HELD) {
				result = Closing.LOST;
				if (last && --room.lostReaders == 0 && room.readers.isEmpty()) {
					forget(room, hold.lossReason, turn);
				}
			}
			else if (!last) {
				result = Closing.NESTED;
			}
			else {
				result = leave(room, lease, turn);
			}
		}
		finally {
			mutex().unlock();
		}
		turn.run();
		return result;
	}

	private Closing leave(Room room, LeaseHandle last, Turn turn) {
		Hold ended = last.hold;
		room.readers.remove(ended.owner, ended);
		if (!room.readers.isEmpty()) {
			ended.state = Hold.State.RELEASED;
			if (room.hold == ended) {
				room.hold = room.readers.values().iterator().next();
			}
			return Closing.HANDED_ON;
		}
		ended.state = Hold.State.CLOSING;
		CompletableFuture<Boolean> reply = new CompletableFuture<>();
		release(room, last, reply, turn);
		return new Closing(true, true, reply);
	}

	// ---- The room

	private void closeRoom(Room room) {
		if (this.open == room) {
			this.open = null;
			this.closed.add(room);
		}
	}

	private void forgetRoom(Room room) {
		unwatch(room);
		room.hold = null;
		this.closed.remove(room);
		if (this.open == room) {
			this.open = null;
		}
		this.runtime.unregister(room.attempt());
	}

	/**
	 * A writer may go on here as a reader, so the gate has to stay. Called by its
	 * {@link Gate}, which has the same mutex.
	 */
	void expect(Attempt share) {
		this.closing++;
		this.runtime.register(share.id, this);
	}

	/**
	 * The writer does not come.
	 */
	void expectNoMore(Attempt share) {
		this.closing--;
		this.runtime.unregister(share.id);
		dieIfIdle();
	}

	/**
	 * The expected writer goes on here as a reader.
	 * @param former its exclusive grant, whose deadline is that of the share
	 */
	void adopt(Hold writer, Attempt share, Grant former, long token, Turn turn) {
		this.closing--;
		long now = this.runtime.now();
		share.ttl = former.ttl;
		share.mayHaveTraces = true;
		Room room = new Room(this, share, former.ttl, former.deadline(), token,
				now - this.runtime.engine.options().handoffTime());
		room.inheritDoubt(former);
		room.readers.put(writer.owner, writer);
		room.hold = writer;
		writer.grant = room;
		Room before = this.open;
		if (before != null) {
			closeRoom(before);
		}
		this.open = room;
		if (room.startWatch()) {
			this.runtime.engine.watchdog().add(room);
		}
		if (this.attempt != null) {
			// It may have been served together with the writer.
			if (this.flight == null) {
				ask(turn);
			}
			else {
				this.askAgain = true;
			}
		}
		else if (this.line.head() != null) {
			askForAnotherTurn(room, turn);
		}
	}

	private void release(Room room, @Nullable LeaseHandle last, CompletableFuture<Boolean> outcome, Turn turn) {
		forgetRoom(room);
		this.closing++;
		turn.then(() -> {
			long sentAt = this.runtime.now();
			ReleaseCommand command = new ReleaseCommand(this.key, room.attempt(), Duration.ZERO, timeout(room.ttl));
			this.runtime.release(true, command)
				.whenComplete((reply, thrown) -> released(room, last, sentAt, outcome, reply, thrown));
		});
		sweepGhosts(room.ghosts, room.ghosts.ttl, turn);
		contendIfSomebodyWaits(turn);
	}

	private void released(Room room, @Nullable LeaseHandle last, long sentAt, CompletableFuture<Boolean> outcome,
			@Nullable ReleaseReply reply, @Nullable Throwable thrown) {
		transition((turn) -> {
			this.closing--;
			StoreException silence = (reply != null) ? null : this.runtime.failure(thrown);
			if (last != null) {
				settle(last, reply instanceof ReleaseReply.NotOwner, silence, outcome, turn);
			}
			if (silence != null) {
				turn.then(() -> this.runtime.abandonLater(this, room.attempt(), this.runtime.now(),
						Clock.plus(sentAt, room.ttl)));
			}
			if (reply instanceof ReleaseReply.Released released && released.reserved()) {
				turn.then(this::tellOfRemoteHandoff);
			}
			dieIfIdle();
		});
	}

	/**
	 * Asks the store whether the room may stay open for another turn.
	 */
	private void askForAnotherTurn(Room room, Turn turn) {
		if (room.extending) {
			return;
		}
		room.extending = true;
		turn.then(() -> sendExtend(room));
	}

	private void sendExtend(Room room) {
		if (!room.tryArm()) {
			// A renewal is under way: commands that set the ttl go one after the other.
			this.runtime.engine.timers().schedule(() -> sendExtend(room), MIN_PAUSE);
			return;
		}
		long ttl = room.ttl;
		long sentAt = this.runtime.now();
		if (room.ended) {
			room.armed();
			return;
		}
		room.sending(Clock.plus(sentAt, ttl - Profile.drift(ttl)));
		ExtendCommand command = new ExtendCommand(this.key, room.attempt(), Duration.ofNanos(ttl), 1, timeout(ttl));
		this.runtime.call(() -> this.runtime.sharing().extendShared(command))
			.whenComplete((reply, thrown) -> extended(room, ttl, sentAt, reply, thrown));
	}

	private void extended(Room room, long ttl, long sentAt, @Nullable ExtendReply reply, @Nullable Throwable thrown) {
		transition((turn) -> {
			try {
				room.extending = false;
				if (room.ended) {
					return;
				}
				if (reply instanceof ExtendReply.NotOwner) {
					lose(room, LossReason.NOT_OWNER, turn);
					return;
				}
				long now = this.runtime.now();
				if (reply instanceof ExtendReply.Extended && room.prolong(now, room.deadlineOf(sentAt, ttl))) {
					room.turnStart = now;
					if (this.open == room) {
						admit(room, turn);
					}
					return;
				}
				if (reply == null && this.runtime.failure(thrown).mayHaveExecuted()) {
					room.unanswered(ttl);
				}
				closeRoom(room);
				contendIfSomebodyWaits(turn);
			}
			finally {
				room.armed();
			}
		});
	}

	/** Lets all in who wait in line. */
	private void admit(Room room, Turn turn) {
		long now = this.runtime.now();
		Waiter next = this.line.head();
		while (next != null) {
			this.line.pollHead();
			Hold held = room.readers.get(next.owner);
			boolean entered = (held != null && held.isHeld(now)) ? nest(held, next, turn) : join(room, next, now, turn);
			if (entered) {
				// Who has cancelled itself meanwhile reports that.
				this.line.gone(next);
			}
			next = this.line.head();
		}
	}

	// ---- The attempt

	private void contendIfSomebodyWaits(Turn turn) {
		if (this.attempt == null && this.line.head() != null) {
			contend(turn);
		}
	}

	private void contend(Turn turn) {
		Attempt fresh = new Attempt(AttemptId.random());
		this.attempt = fresh;
		this.askAgain = false;
		this.runtime.register(fresh.id, this);
		ask(turn);
	}

	private void ask(Turn turn) {
		Attempt current = this.attempt;
		if (current == null || this.line.head() == null) {
			giveUpIfNobodyWaits(turn);
			return;
		}
		cancelTimer();
		this.askAgain = false;
		boolean queues = this.line.hasPatient();
		current.mayHaveTraces |= queues;
		current.ttl = this.way.ttl();
		Object token = new Object();
		this.flight = token;
		SharedAcquireCommand command = new SharedAcquireCommand(this.key, current.id, Share.READERS,
				Duration.ofNanos(current.ttl), queues, timeout(current.ttl));
		turn.then(() -> {
			long sentAt = this.runtime.now();
			this.runtime.call(() -> this.runtime.sharing().acquireShared(command))
				.whenComplete((reply, thrown) -> answered(current, token, sentAt, reply, thrown));
		});
	}

	private void answered(Attempt asked, Object token, long sentAt, @Nullable AcquireReply reply,
			@Nullable Throwable thrown) {
		transition((turn) -> {
			if (this.flight != token) {
				return;
			}
			this.flight = null;
			if (reply instanceof AcquireReply.Granted granted) {
				granted(asked, sentAt, granted.firstToken(), turn);
			}
			else if (reply instanceof AcquireReply.Refused no) {
				refused(asked, no, turn);
			}
			else {
				failed(asked, this.runtime.failure(thrown), sentAt, turn);
			}
			dieIfIdle();
		});
	}

	private void granted(Attempt asked, long sentAt, long token, Turn turn) {
		long now = this.runtime.now();
		long ttl = asked.ttl;
		long deadline = Clock.plus(sentAt, ttl - Profile.drift(ttl));
		asked.mayHaveTraces = true;
		if (now >= deadline) {
			// Too late to be used (rule E5).
			giveUp(asked, turn);
			contendIfSomebodyWaits(turn);
			return;
		}
		this.attempt = null;
		Room room = new Room(this, asked, ttl, deadline, token, now);
		Room former = this.open;
		if (former != null) {
			closeRoom(former);
		}
		this.open = room;
		admit(room, turn);
		if (room.readers.isEmpty()) {
			release(room, null, new CompletableFuture<>(), turn);
		}
		else if (room.startWatch()) {
			this.runtime.engine.watchdog().add(room);
		}
	}

	private void refused(Attempt asked, AcquireReply.Refused no, Turn turn) {
		asked.refused(no);
		this.line.refuseImpatient(turn, this::busy);
		this.line.announce(turn);
		if (this.line.head() == null) {
			giveUpIfNobodyWaits(turn);
		}
		else if (this.askAgain) {
			ask(turn);
		}
		else {
			long pause = no.queued() ? Clock.jitter(this.runtime.recheck) : asked.pauseToPoll(this.runtime.recheck);
			askLater(Math.max(MIN_PAUSE, Math.min(pause, no.freeIn().toNanos() + MIN_PAUSE)));
		}
	}

	private void failed(Attempt asked, StoreException failure, long sentAt, Turn turn) {
		asked.failed(failure, sentAt + timeoutNanos(asked.ttl));
		if (failure.isRetryable()) {
			this.line.refuseImpatient(turn, (waiter) -> storeFailed(failure));
		}
		else {
			this.line.refuseAll(turn, (waiter) -> storeFailed(failure));
		}
		if (this.line.head() == null) {
			giveUpIfNobodyWaits(turn);
		}
		else {
			askLater(asked.pauseToPoll(this.runtime.recheck));
		}
	}

	private void giveUpIfNobodyWaits(Turn turn) {
		Attempt current = this.attempt;
		if (current != null && this.flight == null && this.line.head() == null) {
			giveUp(current, turn);
		}
		dieIfIdle();
	}

	private void giveUp(Attempt ended, Turn turn) {
		cancelTimer();
		this.attempt = null;
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

	private void askLater(long nanos) {
		later(nanos, this::timeToAsk);
	}

	// ---- What time, signals and the watchdog bring

	private void timeToAsk(Turn turn) {
		if (this.attempt != null && this.flight == null) {
			ask(turn);
		}
	}

	@Override
	void signalled(@Nullable AttemptId signalled) {
		transition((turn) -> {
			Attempt current = this.attempt;
			if (current == null || (signalled != null && !signalled.equals(current.id))) {
				return;
			}
			if (this.flight == null) {
				ask(turn);
			}
			else {
				this.askAgain = true;
			}
		});
	}

	@Override
	void revoked(AttemptId revoked) {
		transition((turn) -> {
			for (Room room : rooms()) {
				if (room.attempt().equals(revoked)) {
					lose(room, LossReason.FORCE_RELEASED, turn);
				}
			}
		});
	}

	@Override
	void lost(Grant lost, LossReason reason) {
		transition((turn) -> {
			if (!lost.ended) {
				lose((Room) lost, reason, turn);
			}
		});
	}

	private List<Room> rooms() {
		List<Room> rooms = new ArrayList<>(this.closed);
		if (this.open != null) {
			rooms.add(this.open);
		}
		return rooms;
	}

	@Override
	boolean armed(Grant armed, long ttl, long sentAt) {
		mutex().lock();
		try {
			armed.ttl = ttl;
			return !armed.ended && armed.prolong(this.runtime.now(), armed.deadlineOf(sentAt, ttl));
		}
		finally {
			mutex().unlock();
		}
	}

	/**
	 * Chooses the reader for whom the room is renewed, and ends those that have stayed
	 * too long.
	 */
	@Override
	void tend(Grant grant) {
		transition((turn) -> {
			Room room = (Room) grant;
			if (room.ended) {
				return;
			}
			long now = this.runtime.now();
			Hold chosen = null;
			long extendedTo = 0;
			for (Hold reader : List.copyOf(room.readers.values())) {
				if (reader.isOverdue(now)) {
					loseReader(room, reader, turn);
					continue;
				}
				extendedTo = Math.max(extendedTo, reader.floorEnd());
				if (this.runtime.engine.watchdog().wantsRenewal(reader, now)
						&& (chosen == null || reader.renewalTtl(now) > chosen.renewalTtl(now))) {
					chosen = reader;
				}
			}
			if (chosen != null) {
				room.hold = chosen;
			}
			room.extendedTo(extendedTo);
		});
	}

	private void loseReader(Room room, Hold reader, Turn turn) {
		room.readers.remove(reader.owner, reader);
		room.lostReaders++;
		loseHold(reader, LossReason.MAX_HOLD, turn);
		if (room.hold == reader) {
			room.hold = room.readers.isEmpty() ? null : room.readers.values().iterator().next();
		}
		if (room.readers.isEmpty()) {
			release(room, null, new CompletableFuture<>(), turn);
		}
	}

	private void lose(Room room, LossReason reason, Turn turn) {
		List<Hold> readers = List.copyOf(room.readers.values());
		room.readers.clear();
		room.lostReaders += readers.size();
		forgetRoom(room);
		room.expire();
		for (Hold reader : readers) {
			loseHold(reader, reason, turn);
		}
		sweepGhosts(room.ghosts, room.ghosts.ttl, turn);
		contendIfSomebodyWaits(turn);
		dieIfIdle();
	}

	private void dieIfIdle() {
		if (!this.dead && this.open == null && this.closed.isEmpty() && this.attempt == null && this.closing == 0
				&& this.line.head() == null) {
			this.dead = true;
			cancelTimer();
			this.runtime.remove(this.way, this);
		}
	}

	@Override
	protected LockNotAcquiredException refusal(Reason reason, Waiter waiter) {
		return refusal(reason, waiter, (this.attempt != null) ? this.attempt.holder : "");
	}

	// ---- What operators see

	@Override
	List<HeldLock> held() {
		mutex().lock();
		try {
			return rooms().stream()
				.flatMap((room) -> room.readers.values().stream())
				.map((reader) -> show(reader, this.line.size()))
				.toList();
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
			return !this.dead;
		}
		finally {
			mutex().unlock();
		}
	}

}
