package io.distributedlock.store.etcd;

import java.time.Instant;
import java.util.List;

import io.etcd.jetcd.op.Op;
import io.etcd.jetcd.options.GetOption;
import org.jspecify.annotations.Nullable;

import io.distributedlock.spi.AcquireCommand;
import io.distributedlock.spi.AcquireReply;
import io.distributedlock.spi.QueueingLockStore.Successor;
import io.distributedlock.spi.ReleaseCommand;
import io.distributedlock.spi.ReleaseReply;

/**
 * Gives a grant back: to the next waiter, to nobody, or to the next attempt of this JVM.
 * <p>
 * It goes by what this JVM remembers: the revision of its record, and who was first in
 * the queue then. If both are as they were, one transaction does it all. Who joined the
 * queue since has marked the record, so that its revision is another, and the transaction
 * shows what there is instead.
 */
final class ReleaseOperation extends Operation<ReleaseReply> {

	private final ReleaseCommand command;

	private final @Nullable Successor successor;

	private final @Nullable Stake stake;

	private final @Nullable Stake next;

	ReleaseOperation(Context context, ReleaseCommand command, @Nullable Successor successor) {
		super(context, command.key(), command.timeout());
		this.command = command;
		this.successor = successor;
		this.stake = context.stakes().find(command.attempt());
		this.next = (successor != null) ? context.stakes().open(command.key(), successor.attempt()) : null;
	}

	@Override
	void step() {
		Stake known = this.stake;
		List<QueueEntry> others = (known != null && known.record() != null) ? known.others() : null;
		if (known != null && others != null && known.state() == Stake.State.HELD && !known.isOver()) {
			handOver(known.revision(), others);
		}
		else {
			readLock(this::found);
		}
	}

	private void found(LockView view) {
		if (view.isHeldBy(this.command.attempt())) {
			handOver(view.revision(), view.queue());
		}
		else if (view.record() != null && view.record().isCoolingAfter(this.command.attempt())) {
			// This very command has done it, and its answer was lost. When exactly is not
			// known, so the time begins anew.
			Session on = this.context.sessions().find((session) -> session.lease == view.lease());
			cooled(view.revision(), System.nanoTime() + view.record().time().toNanos(), on);
		}
		else {
			if (this.stake != null && !this.stake.isUnsure() && this.stake.doubtful() == null) {
				this.context.stakes().forget(this.stake);
			}
			notOwner(view);
		}
	}

	private void handOver(long revision, List<QueueEntry> queue) {
		if (!this.command.keepFor().isZero()) {
			coolDown(revision);
			return;
		}
		Successor own = this.successor;
		Stake ownStake = this.next;
		QueueEntry first = queue.stream()
			.filter((entry) -> own == null || !entry.key().equals(ownEntry()))
			.findFirst()
			.orElse(null);
		if (first != null && !first.isPlain()) {
			meetOthers();
		}
		else if (own != null && ownStake != null) {
			if (first != null) {
				exchange(revision, first, own, ownStake);
			}
			else {
				succeedMyself(revision, own, ownStake);
			}
		}
		else if (first != null) {
			Request request = request(this::passedOn);
			this.context.passOn(request, this.key, revision, first);
			submit(request.elseRead(record()).elseReadQueue(queue()));
		}
		else {
			submit(request(this::freed).ifUnchanged(record(), revision)
				.delete(record())
				.thenReadQueue(queue())
				.elseRead(record())
				.elseReadQueue(queue()));
		}
	}

	/**
	 * Those wait who want a share, or strict order.
	 */
	private void meetOthers() {
		LineScripts.releasePlain(this.context, this.command, timeLeft(), this.successor)
			.start()
			.whenComplete((reply, failure) -> attempt(() -> {
				if (failure != null) {
					throw this.context.errors().translate(failure);
				}
				if (reply.isEmpty()) {
					readLock(this::found);
				}
				else {
					ended();
					succeed(reply.get());
				}
			}));
	}

	private void freed(Request.Answer answer) {
		if (!answer.succeeded()) {
			found(answer.view());
			return;
		}
		ended();
		List<QueueEntry> unseen = answer.queue();
		if (unseen.isEmpty()) {
			succeed(new ReleaseReply.Released(false));
			return;
		}
		Rescue.of(this.context, this.key, unseen.get(0))
			.whenComplete((reserved, failure) -> succeed(new ReleaseReply.Released(Boolean.TRUE.equals(reserved))));
	}

	private void passedOn(Request.Answer answer) {
		if (!answer.succeeded()) {
			found(answer.view());
			return;
		}
		ended();
		this.context.endLater(this.key, answer.revision(), this.context.reservation());
		succeed(new ReleaseReply.Released(true));
	}

	/**
	 * Keeps the lock taken, by nobody, on a lease of its own length.
	 */
	private void coolDown(long revision) {
		this.context.sessions().use(this, this.command.keepFor(), (session) -> {
			long end = System.nanoTime() + this.command.keepFor().toNanos();
			submit(request((answer) -> {
				if (!answer.succeeded()) {
					this.context.sessions().sawMarker(session, answer.lastRead());
					found(answer.view());
					return;
				}
				cooled(answer.revision(), end, session);
			}).ifLives(session)
				.ifUnchanged(record(), revision)
				.put(record(), LockRecord.cooling(this.command.attempt(), this.command.keepFor()).encode(),
						session.lease)
				.elseRead(record())
				.elseReadQueue(queue())
				.elseRead(session.marker));
		});
	}

	private void cooled(long revision, long end, @Nullable Session session) {
		ended();
		Overdue cooling = Overdue.record(this.context, this.key, revision, end, session);
		if (session != null) {
			session.users.add(cooling);
		}
		this.context.stakes().wheel().watch(cooling);
		succeed(new ReleaseReply.Released(false));
	}

	/**
	 * Nobody else waits: the next attempt of this JVM gets the lock.
	 */
	private void succeedMyself(long revision, Successor own, Stake ownStake) {
		this.context.sessions().use(this, own.ttl(), (session) -> {
			long end = System.nanoTime() + own.ttl().toNanos();
			int tokens = Math.max(1, Math.min(own.tokens(), LockRecord.TOKENS_OF_A_REVISION));
			LockRecord held = LockRecord.held(own.attempt(), this.context.instance(), own.ttl(), tokens);
			Request request = request((answer) -> {
				if (!answer.succeeded()) {
					this.context.sessions().sawMarker(session, answer.lastRead());
					found(answer.view());
					return;
				}
				ended();
				LockRecord written = held.written(answer.revision());
				List<QueueEntry> others = answer.queue()
					.stream()
					.filter((entry) -> !entry.key().equals(ownEntry()))
					.toList();
				if (!ownStake.held(session, written, answer.revision(), others, end)) {
					throw this.context.errors().givenUp(true);
				}
				this.context.stakes().wheel().watch(ownStake);
				succeed(new ReleaseReply.Succeeded(written.firstToken(), written.firstTokens()));
			}).ifLives(session).ifUnchanged(record(), revision).put(record(), held.encode(), session.lease);
			if (this.context.stakes().queued(this.key.id()) != null) {
				request.delete(ownEntry());
			}
			request.thenReadQueue(queue()).elseRead(record()).elseReadQueue(queue()).elseRead(session.marker);
			request.stake = ownStake;
			submit(request);
		});
	}

	/**
	 * Passes the lock on, and joins the queue at its end.
	 */
	private void exchange(long revision, QueueEntry first, Successor own, Stake ownStake) {
		if (!this.context.mailbox().isOpen()) {
			Request request = request((answer) -> {
				if (answer.succeeded()) {
					ended();
					this.context.endLater(this.key, answer.revision(), this.context.reservation());
					this.context.stakes().forget(ownStake);
					succeed(new ReleaseReply.Queued(false));
				}
				else {
					found(answer.view());
				}
			});
			this.context.passOn(request, this.key, revision, first);
			submit(request.elseRead(record()).elseReadQueue(queue()));
			return;
		}
		this.context.sessions().use(this, this.context.queueEntryTtl(), (session) -> {
			long end = System.nanoTime() + this.context.queueEntryTtl().toNanos();
			Instant since = Instant.now();
			Request request = request((answer) -> {
				if (!answer.succeeded()) {
					this.context.sessions().sawMarker(session, answer.lastRead());
					found(answer.view());
					return;
				}
				ended();
				this.context.endLater(this.key, answer.revision(), this.context.reservation());
				if (!ownStake.queued(session, answer.revision(), since, end)) {
					throw this.context.errors().givenUp(true);
				}
				this.context.stakes().queued(ownStake);
				succeed(new ReleaseReply.Queued(true));
			}).ifLives(session);
			this.context.passOn(request, this.key, revision, first);
			request.put(ownEntry(), QueueEntry.encode(own.attempt(), this.context.instance(), since), session.lease)
				.elseRead(record())
				.elseReadQueue(queue())
				.elseRead(session.marker);
			request.stake = ownStake;
			submit(request);
		});
	}

	/**
	 * The grant has ended before. If this is the same command again, its successor may
	 * have something; else it must have nothing.
	 */
	private void notOwner(LockView view) {
		Successor own = this.successor;
		if (own == null || this.next == null) {
			succeed(new ReleaseReply.NotOwner());
		}
		else if (view.isHeldBy(own.attempt()) || view.isReservedFor(own.attempt())) {
			AcquireCommand again = new AcquireCommand(this.key, own.attempt(), own.ttl(), own.tokens(), true,
					this.command.timeout());
			new AcquireOperation(this.context, again, false).start()
				.whenComplete((reply, failure) -> attempt(() -> repeated(reply, failure)));
		}
		else {
			read((answer) -> {
				boolean waits = answer.getGetResponses()
					.get(0)
					.getKvs()
					.stream()
					.map(QueueEntry::decode)
					.anyMatch((entry) -> entry.attempt().equals(own.attempt()));
				if (waits && this.next.refreshed(System.nanoTime() + this.context.queueEntryTtl().toNanos())) {
					succeed(new ReleaseReply.Queued(true));
				}
				else {
					nothing();
				}
			}, Op.get(ownEntry(), GetOption.DEFAULT));
		}
	}

	private void repeated(@Nullable AcquireReply reply, @Nullable Throwable failure) {
		if (failure != null) {
			throw this.context.errors().translate(failure);
		}
		if (reply instanceof AcquireReply.Granted granted) {
			succeed(new ReleaseReply.Succeeded(granted.firstToken(), granted.tokens()));
		}
		else {
			nothing();
		}
	}

	/**
	 * "Not owner" promises that the successor has nothing and gets nothing.
	 */
	private void nothing() {
		Stake own = this.next;
		if (own == null || own.isOver()
				|| (own.state() == Stake.State.ASKING && !own.isUnsure() && own.doubtful() == null)) {
			if (own != null && !own.isOver()) {
				this.context.stakes().forget(own);
			}
			succeed(new ReleaseReply.NotOwner());
			return;
		}
		new EndOperation(this.context, this.key, own.attempt, this.command.timeout()).start()
			.whenComplete((done, failure) -> attempt(() -> {
				if (failure != null) {
					throw this.context.errors().translate(failure);
				}
				succeed(new ReleaseReply.NotOwner());
			}));
	}

	/**
	 * The grant has ended in etcd.
	 */
	private void ended() {
		Stake known = this.stake;
		if (known == null) {
			return;
		}
		if (known.isUnsure() || known.doubtful() != null) {
			// An old request of it must not make it again.
			new EndOperation(this.context, this.key, known.attempt, this.command.timeout()).start();
		}
		else {
			known.finish();
			this.context.stakes().forget(known);
		}
	}

	@Override
	void unanswered(boolean sent) {
		Stake own = this.next;
		if (own == null) {
			return;
		}
		if (sent && this.successor != null) {
			own.unsure(System.nanoTime() + this.successor.ttl().toNanos());
			this.context.stakes().wheel().watch(own);
		}
		else if (own.state() == Stake.State.ASKING && !own.isUnsure() && own.doubtful() == null) {
			this.context.stakes().forget(own);
		}
	}

}
