package io.distributedlock.store.etcd;

import java.time.Duration;
import java.time.Instant;
import java.util.List;

import io.etcd.jetcd.op.Op;
import io.etcd.jetcd.options.GetOption;
import org.jspecify.annotations.Nullable;

import io.distributedlock.spi.AcquireCommand;
import io.distributedlock.spi.AcquireReply;
import io.distributedlock.spi.AcquireReply.Granted;
import io.distributedlock.spi.AcquireReply.Refused;
import io.distributedlock.spi.StoreException;

/**
 * Asks for a lock, and for a place in its queue if somebody else has it.
 * <p>
 * First it tries to write the record, if that does not exist: an uncontended acquire is
 * one transaction. If a condition does not hold, the same transaction reads what there
 * is, and the next step follows from that, on the condition that it has not changed
 * meanwhile. An attempt that has a place in the queue only looks, which costs etcd no
 * write.
 */
final class AcquireOperation extends Operation<AcquireReply> {

	private final AcquireCommand command;

	private final boolean enqueue;

	private Stake stake;

	AcquireOperation(Context context, AcquireCommand command, boolean enqueue) {
		super(context, command.key(), command.timeout());
		this.command = command;
		this.enqueue = enqueue;
		this.stake = context.stakes().open(command.key(), command.attempt());
	}

	@Override
	void step() {
		this.stake = this.context.stakes().open(this.key, this.command.attempt());
		if (this.stake.isOver()) {
			// It is being taken away. Only when nothing is left can it begin anew.
			this.stake.gone.whenComplete((done, failure) -> attempt(this::step));
			return;
		}
		switch (this.stake.state()) {
			case HELD -> look();
			case RESERVED -> take(this.stake.revision());
			case QUEUED -> {
				if (this.enqueue) {
					look();
				}
				else {
					take(0);
				}
			}
			case ASKING -> {
				if (this.command.repeated()) {
					look();
				}
				else {
					take(0);
				}
			}
		}
	}

	@Override
	void failed(StoreException failure) {
		if (failure instanceof GivenUpException && this.stake.isOver()) {
			// A place in the queue ended in the moment in which it was asked for again.
			attempt(this::step);
		}
		else {
			super.failed(failure);
		}
	}

	/**
	 * Writes the record.
	 * @param revision of the record that it takes the place of, 0 if there must be none
	 */
	private void take(long revision) {
		this.context.sessions().use(this, this.command.ttl(), (session) -> {
			long end = System.nanoTime() + this.command.ttl().toNanos();
			int tokens = Math.max(1, Math.min(this.command.tokens(), LockRecord.TOKENS_OF_A_REVISION));
			LockRecord held = LockRecord.held(this.command.attempt(), this.context.instance(), this.command.ttl(),
					tokens);
			Request request = request((answer) -> taken(answer, session, held, end)).ifLives(session)
				.ifUnchanged(record(), revision)
				.put(record(), held.encode(), session.lease);
			if (this.context.stakes().queued(this.key.id()) != null) {
				request.delete(ownEntry());
			}
			request.thenReadQueue(queue()).elseRead(record()).elseRead(session.marker);
			request.stake = this.stake;
			submit(request);
		});
	}

	private void taken(Request.Answer answer, Session session, LockRecord held, long end) {
		if (!answer.succeeded()) {
			this.context.sessions().sawMarker(session, answer.lastRead());
			decide(LockView.of(answer.body().getGetResponses().get(0), null));
			return;
		}
		LockRecord written = held.written(answer.revision());
		List<QueueEntry> others = answer.queue().stream().filter((entry) -> !entry.key().equals(ownEntry())).toList();
		granted(session, written, answer.revision(), others, end);
	}

	private void granted(Session session, LockRecord written, long revision, @Nullable List<QueueEntry> others,
			long end) {
		this.context.stakes().granted(this.stake);
		this.context.reservations().forget(this.key.id());
		if (!this.stake.held(session, written, revision, others, end)) {
			throw this.context.errors().givenUp(true);
		}
		this.context.stakes().wheel().watch(this.stake);
		succeed(new Granted(written.firstToken(), written.firstTokens()));
	}

	/**
	 * Reads what there is, and this JVM's place in the queue.
	 */
	private void look() {
		read((answer) -> {
			LockView view = LockView.of(answer.getGetResponses().get(0), answer.getGetResponses().get(1));
			boolean placed = this.enqueue && view.record() != null && !view.isShared()
					&& view.entryOf(this.command.attempt()) != null && reservationLeft(view) > 0
					&& !view.isHeldBy(this.command.attempt()) && !view.isReservedFor(this.command.attempt());
			if (placed) {
				keepPlace(view);
			}
			else {
				decide(view);
			}
		}, Op.get(record(), GetOption.DEFAULT), Op.get(ownEntry(), GetOption.DEFAULT));
	}

	private void keepPlace(LockView view) {
		this.context.sessions().use(this, this.context.queueEntryTtl(), (session) -> {
			if (this.stake.refreshed(System.nanoTime() + this.context.queueEntryTtl().toNanos())) {
				refuse(view, true);
			}
			else {
				enqueue(view);
			}
		});
	}

	/**
	 * Follows what was found.
	 */
	private void decide(LockView view) {
		LockRecord found = view.record();
		if (found == null) {
			take(0);
		}
		else if (view.isShared()) {
			meetShares();
		}
		else if (found.isHeldBy(this.command.attempt())) {
			adopt(view, found);
		}
		else if (found.isReservedFor(this.command.attempt()) || reservationLeft(view) <= 0) {
			take(view.revision());
		}
		else if (this.enqueue && this.context.mailbox().isOpen()) {
			enqueue(view);
		}
		else {
			if (this.stake.state() == Stake.State.HELD || this.stake.state() == Stake.State.RESERVED) {
				this.stake.asking();
			}
			refuse(view, false);
		}
	}

	/**
	 * The lock is shared, or all shares have ended.
	 */
	private void meetShares() {
		LineScripts.acquirePlain(this.context, this.command, timeLeft(), this.enqueue)
			.start()
			.whenComplete((reply, failure) -> attempt(() -> {
				if (failure != null) {
					throw this.context.errors().translate(failure);
				}
				succeed(reply);
			}));
	}

	/**
	 * The attempt has the lock already: an answer was lost. Its full ttl begins anew.
	 */
	private void adopt(LockView view, LockRecord found) {
		this.context.sessions().use(this, this.command.ttl(), (session) -> {
			long end = System.nanoTime() + this.command.ttl().toNanos();
			if (session.lease == view.lease()) {
				granted(session, found, view.revision(), null, end);
				return;
			}
			Request request = request((answer) -> {
				if (answer.succeeded()) {
					granted(session, found, answer.revision(), answer.queue(), end);
				}
				else {
					this.context.sessions().sawMarker(session, answer.lastRead());
					look();
				}
			}).ifLives(session)
				.ifUnchanged(record(), view.revision())
				.put(record(), found.renewed(this.command.ttl()).encode(), session.lease)
				.thenReadQueue(queue())
				.elseRead(record())
				.elseRead(session.marker);
			request.stake = this.stake;
			submit(request);
		});
	}

	/**
	 * Joins the queue, and marks the record, so that its holder does not release it as if
	 * nobody waited. Who finds it marked does not write it again.
	 */
	private void enqueue(LockView view) {
		LockRecord found = view.record();
		if (found == null) {
			take(0);
			return;
		}
		this.context.sessions().use(this, this.context.queueEntryTtl(), (session) -> {
			long end = System.nanoTime() + this.context.queueEntryTtl().toNanos();
			Stake before = this.context.stakes().queued(this.key.id());
			Instant since = (before != null) ? before.since() : Instant.now();
			Request request = request((answer) -> {
				if (answer.succeeded()) {
					queued(answer, view, session, since, end);
				}
				else {
					this.context.sessions().sawMarker(session, answer.lastRead());
					decide(LockView.of(answer.body().getGetResponses().get(0), null));
				}
			}).ifLives(session)
				.ifUnchanged(record(), view.revision())
				.put(ownEntry(), QueueEntry.encode(this.command.attempt(), this.context.instance(), since),
						session.lease)
				.claims(record());
			if (found.state() == LockRecord.State.HELD && !found.contended()) {
				request.put(record(), found.withQueue().encode(), view.lease());
			}
			request.elseRead(record()).elseRead(session.marker);
			request.stake = this.stake;
			submit(request);
		});
	}

	private void queued(Request.Answer answer, LockView view, Session session, Instant since, long end) {
		if (!this.stake.queued(session, answer.revision(), since, end)) {
			throw this.context.errors().givenUp(true);
		}
		this.context.stakes().replace(this.stake);
		refuse(view, true);
	}

	private void refuse(LockView view, boolean queued) {
		LockRecord found = view.record();
		String holder = (found != null && !found.instance().isEmpty()) ? found.instance() : null;
		Duration freeIn = (found != null) ? found.time() : Duration.ofMillis(1);
		if (found != null && found.state() != LockRecord.State.HELD) {
			freeIn = Duration.ofNanos(Math.max(1_000_000, reservationLeft(view)));
		}
		if (!queued) {
			this.context.stakes().forgetIfNothing(this.stake);
		}
		succeed(new Refused(holder, freeIn, queued));
	}

	/**
	 * Returns how long a reservation for another or a cooling lasts, or a positive number
	 * if the lock is held.
	 */
	private long reservationLeft(LockView view) {
		LockRecord found = view.record();
		if (found == null || found.state() == LockRecord.State.HELD) {
			return 1;
		}
		return this.context.reservations().left(this.key.id(), view.revision(), found.time());
	}

	@Override
	void unanswered(boolean sent) {
		if (sent) {
			this.stake.unsure(System.nanoTime() + this.command.ttl().toNanos());
			this.context.stakes().wheel().watch(this.stake);
		}
		else {
			this.context.stakes().forgetIfNothing(this.stake);
		}
	}

}
