package io.distributedlock.store.zookeeper;

import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;

import org.apache.zookeeper.CreateMode;
import org.apache.zookeeper.KeeperException.Code;
import org.apache.zookeeper.Op;

import io.distributedlock.spi.AcquireReply;
import io.distributedlock.spi.RenewCommand;
import io.distributedlock.spi.RenewReply;
import io.distributedlock.spi.SharedAcquireCommand;
import io.distributedlock.store.zookeeper.View.Fence;
import io.distributedlock.store.zookeeper.WaitRecord.Entry;
import io.distributedlock.store.zookeeper.WaitRecord.Served;
import io.distributedlock.store.zookeeper.WaitRecord.State;

/**
 * Gets a share of a key, or a place in its queue.
 * <p>
 * Shares are in the key's record, so all that guards a queue guards them: whoever makes
 * the record raises the bucket's version, which no holder of its own can overlook, and
 * every further change is made under the version read. Only the first share has to see to
 * it that nobody has the key alone: its transaction makes the holder's node, which fails
 * if there is one, and deletes it again.
 */
final class ShareTask extends KeyTask<AcquireReply> {

	private final SharedAcquireCommand command;

	private final Sessions sessions;

	private final SessionKeeper keeper;

	/** Whether the record was not read now. That is enough to be granted a share only. */
	private boolean guess;

	/** Sessions that have no inbox any more. */
	private final Set<String> dead = new HashSet<>();

	ShareTask(StoreContext context, SharedAcquireCommand command, Sessions sessions, SessionKeeper keeper) {
		super(context, command.key(), command.timeout());
		this.command = command;
		this.sessions = sessions;
		this.keeper = keeper;
	}

	@Override
	TakeBack takeBack() {
		return removal(this.command.attempt(), this.keeper);
	}

	@Override
	CompletableFuture<AcquireReply> work() {
		return connection(this.keeper).thenCompose((link) -> {
			Sessions.requireLongEnough(this.context, link, this.command.ttl());
			Grant mine = local().grant(this.command.attempt());
			if (mine != null && mine.isAlive()) {
				return again(link, mine);
			}
			if (mine != null) {
				return takeBack().work().apply(link).thenCompose((removed) -> look(link));
			}
			Fence fence = this.context.fence(id());
			boolean simple = fence != null && !fence.names(id()) && local().place(this.command.attempt()) == null;
			if (simple) {
				return decide(link, new View(fence, null, -1, null));
			}
			View written = local().written();
			this.guess = written != null;
			return (written != null) ? decide(link, written) : look(link);
		});
	}

	/**
	 * The attempt has a share already; its ttl begins once more.
	 */
	private CompletableFuture<AcquireReply> again(Link link, Grant mine) {
		if (!this.sessions.suffices(mine.link, this.command.ttl())) {
			return move(link);
		}
		return ShareCheck.of(mine).thenCompose((check) -> {
			if (check.isGone()) {
				this.context.ended(mine);
				return look(link);
			}
			if (check.isElsewhere()) {
				return move(link);
			}
			if (!check.outlives(this.command.ttl())) {
				throw this.context.failures().stalled();
			}
			mine.arm(check.sent(), this.command.ttl());
			return done(new AcquireReply.Granted(mine.first, 1));
		});
	}

	private CompletableFuture<AcquireReply> move(Link link) {
		MoveTask move = new MoveTask(this.context,
				new RenewCommand(this.key, this.command.attempt(), this.command.ttl(), this.command.timeout()),
				this.keeper);
		move.submitted(local());
		return move.work().thenCompose((reply) -> {
			Grant moved = local().grant(this.command.attempt());
			return (reply == RenewReply.RENEWED && moved != null) ? done(new AcquireReply.Granted(moved.first, 1))
					: look(link);
		});
	}

	private CompletableFuture<AcquireReply> look(Link link) {
		this.guess = false;
		return link.load(id()).thenCompose((view) -> {
			this.context.seen(id(), view);
			return decide(link, view);
		});
	}

	private CompletableFuture<AcquireReply> makeBucket(Link link) {
		return this.context.makeBucket(id(), link).thenCompose((made) -> look(link));
	}

	private CompletableFuture<AcquireReply> decide(Link link, View view) {
		if (reply().isDone()) {
			return CompletableFuture.failedFuture(this.context.failures().timedOut(true));
		}
		if (view.fence() == null) {
			return makeBucket(link);
		}
		WaitRecord record = this.context.living(id(), view.waitingOrEmpty());
		HeldRecord held = record.heldShare(this.command.attempt());
		return (held != null) ? adopt(link, held) : decide(link, view, record, false);
	}

	/**
	 * An earlier sending of this attempt had no answer, and was executed.
	 */
	private CompletableFuture<AcquireReply> adopt(Link link, HeldRecord held) {
		if (!held.session().equals(link.name())) {
			return CompletableFuture.failedFuture(this.context.failures()
				.unknown("The attempt has the lock in an earlier session, which is about to end."));
		}
		Grant grant = Grant.share(this.key, local(), this.command.attempt(), this.keeper, link, held.first(),
				System.nanoTime(), this.command.ttl());
		this.context.granted(local(), grant);
		return again(link, grant);
	}

	private CompletableFuture<AcquireReply> decide(Link link, View view, WaitRecord living, boolean checked) {
		WaitRecord record = living;
		for (String session : this.dead) {
			record = record.withoutSession(session);
		}
		if (record.state() != State.NONE && this.context.isOver(id(), record)) {
			record = record.released();
		}
		boolean free = view.held() == null && record.state() == State.NONE;
		boolean queues = this.command.queue() && this.context.canBeSignalled(link);
		Kind kind = Kind.of(this.command.share());
		Entry place = new Entry(this.context.settings().instanceId, this.command.attempt(), link.name(), 0, 0, kind);
		Served served = new Served(record, List.of());
		if (record.share(this.command.attempt()) == null) {
			if (queues) {
				served = free ? record.with(place).serve(this.context.settings().reservation)
						: new Served(record.with(place), List.of());
			}
			else if (free && record.queue().isEmpty()) {
				served = record.with(place).serve(this.context.settings().reservation);
			}
		}
		if (served.record().share(this.command.attempt()) != null) {
			return grant(link, view, kind, served);
		}
		if (this.guess) {
			return look(link);
		}
		if (!checked && free) {
			Served found = served;
			return link.survivors(record)
				.thenCompose((rest) -> rest.equals(living) ? refuse(link, view, found, queues)
						: decide(link, view, rest, true));
		}
		return refuse(link, view, served, queues);
	}

	private CompletableFuture<AcquireReply> grant(Link link, View view, Kind kind, Served served) {
		long sent = System.nanoTime();
		String instance = this.context.settings().instanceId;
		long known = kind.equals(Kind.READERS) ? served.record().tokenOfReaders() : 0;
		WaitRecord record = served.record()
			.with(ShareRecord.held(kind, instance, this.command.attempt(), link.name(), known, this.command.ttl()));
		List<Entry> others = served.whom()
			.stream()
			.filter((entry) -> !entry.attempt().equals(this.command.attempt()))
			.toList();
		return new Handover(this.context, this.key, this.keeper, link, view, nobodyHolds(view), List.of(link.proof()))
			.commit(record, others)
			.thenCompose((result) -> {
				if (!result.outcome().succeeded()) {
					return again(link, view, result);
				}
				local().written(result.after());
				if (!link.outlives(sent, this.command.ttl())) {
					throw this.context.failures().stalled();
				}
				long token = (known != 0) ? known : HeldRecord.token(result.outcome().zxid());
				this.context.granted(local(), Grant.share(this.key, local(), this.command.attempt(), this.keeper, link,
						token, sent, this.command.ttl()));
				return done(new AcquireReply.Granted(token, 1));
			});
	}

	/**
	 * If there was no record, somebody may have got the key alone since it was read.
	 */
	private List<Op> nobodyHolds(View view) {
		if (view.waiting() != null) {
			return List.of();
		}
		String path = this.context.layout().held(id());
		return List.of(Op.create(path, Link.NOTHING, this.context.acl(), CreateMode.EPHEMERAL), Op.delete(path, -1));
	}

	private CompletableFuture<AcquireReply> again(Link link, View view, Handover.Result result) {
		if (result.dead() != null) {
			this.dead.add(result.dead());
			return decide(link, view);
		}
		local().failed(view);
		readsAreCertain();
		boolean noBucket = view.waiting() == null && result.outcome().code() == Code.NONODE;
		return noBucket ? makeBucket(link) : look(link);
	}

	private CompletableFuture<AcquireReply> refuse(Link link, View view, Served served, boolean queues) {
		AcquireReply refused = view.refused(served.record(), queues);
		if (!queues) {
			return certain(link, view, refused, () -> look(link));
		}
		if (served.whom().isEmpty() && isFresh(link, view)) {
			return done(refused);
		}
		// The first who waits makes sure that there is something to wait for.
		List<Op> last = (view.waiting() == null && view.held() != null)
				? List.of(Op.check(this.context.layout().held(id()), -1)) : List.of();
		long sent = System.nanoTime();
		return new Handover(this.context, this.key, this.keeper, link, view, List.of(), last)
			.commit(served.record(), served.whom())
			.thenCompose((result) -> {
				if (!result.outcome().succeeded()) {
					return again(link, view, result);
				}
				local().written(result.after());
				this.context.placed(this.key, local(),
						new LocalKey.Place(this.command.attempt(), this.keeper, sent, Kind.of(this.command.share())));
				return done(refused);
			});
	}

	/** Tells whether this attempt has shown itself a short time ago. */
	private boolean isFresh(Link link, View view) {
		return this.context.isFresh(local(), this.command.attempt(), link, view.waitingOrEmpty());
	}

}
