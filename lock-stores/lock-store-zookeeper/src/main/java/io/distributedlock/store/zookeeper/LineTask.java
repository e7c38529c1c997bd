package io.distributedlock.store.zookeeper;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;

import org.apache.zookeeper.CreateMode;
import org.apache.zookeeper.KeeperException.Code;
import org.apache.zookeeper.Op;
import org.jspecify.annotations.Nullable;

import io.distributedlock.spi.AcquireCommand;
import io.distributedlock.spi.AcquireReply;
import io.distributedlock.spi.AttemptId;
import io.distributedlock.store.zookeeper.View.Fence;
import io.distributedlock.store.zookeeper.WaitRecord.Entry;
import io.distributedlock.store.zookeeper.WaitRecord.Served;
import io.distributedlock.store.zookeeper.WaitRecord.State;

/**
 * Gets a key for the first of several callers that want strict order, if it is their
 * turn, and places in the queue for the others, in one transaction. A free key goes to
 * the first in the queue, also if that is somebody else, who is told.
 */
final class LineTask extends KeyTask<List<AcquireReply>> {

	private final List<AcquireCommand> commands;

	private final SessionKeeper keeper;

	/** Sessions that have no inbox any more. */
	private final Set<String> dead = new HashSet<>();

	LineTask(StoreContext context, List<AcquireCommand> commands, SessionKeeper keeper) {
		super(context, commands.get(0).key(), longest(commands.stream().map(AcquireCommand::timeout).toList()));
		this.commands = List.copyOf(commands);
		this.keeper = keeper;
	}

	static Duration longestTtl(List<AcquireCommand> commands) {
		return longest(commands.stream().map(AcquireCommand::ttl).toList());
	}

	private static Duration longest(List<Duration> times) {
		return times.stream().max(Comparator.naturalOrder()).orElse(Duration.ZERO);
	}

	private List<AttemptId> attempts() {
		return this.commands.stream().map(AcquireCommand::attempt).toList();
	}

	@Override
	TakeBack takeBack() {
		return removal(attempts(), this.keeper);
	}

	@Override
	CompletableFuture<List<AcquireReply>> work() {
		return connection(this.keeper).thenCompose((link) -> {
			Sessions.requireLongEnough(this.context, link, longestTtl(this.commands));
			Fence fence = this.context.fence(id());
			boolean simple = fence != null && !fence.names(id()) && local().grant == null
					&& attempts().stream().allMatch((attempt) -> local().place(attempt) == null)
					&& this.commands.stream().noneMatch(AcquireCommand::repeated);
			return simple ? decide(link, new View(fence, null, -1, null)) : look(link);
		});
	}

	private CompletableFuture<List<AcquireReply>> look(Link link) {
		return link.load(id()).thenCompose((view) -> {
			this.context.seen(id(), view);
			return decide(link, view);
		});
	}

	private CompletableFuture<List<AcquireReply>> makeBucket(Link link) {
		return this.context.makeBucket(id(), link).thenCompose((made) -> look(link));
	}

	private @Nullable AcquireCommand command(@Nullable AttemptId attempt) {
		for (AcquireCommand command : this.commands) {
			if (command.attempt().equals(attempt)) {
				return command;
			}
		}
		return null;
	}

	private CompletableFuture<List<AcquireReply>> decide(Link link, View view) {
		if (reply().isDone()) {
			return CompletableFuture.failedFuture(this.context.failures().timedOut(true));
		}
		if (view.fence() == null) {
			return makeBucket(link);
		}
		return decide(link, view, this.context.living(id(), view.waitingOrEmpty()), false);
	}

	private CompletableFuture<List<AcquireReply>> decide(Link link, View view, WaitRecord living, boolean checked) {
		WaitRecord record = living;
		for (String session : this.dead) {
			record = record.withoutSession(session);
		}
		boolean ours = record.whom() != null && command(record.whom().attempt()) != null;
		if (record.state() != State.NONE && !ours && this.context.isOver(id(), record)) {
			record = record.released();
		}
		boolean queues = this.context.canBeSignalled(link);
		List<Entry> places = new ArrayList<>();
		for (AcquireCommand command : queues || record.queue().isEmpty() ? this.commands : List.<AcquireCommand>of()) {
			boolean holds = view.held() != null && view.held().attempt().equals(command.attempt());
			if (!holds && !record.isReservedFor(command.attempt())) {
				places.add(
						new Entry(this.context.settings().instanceId, command.attempt(), link.name(), 0, 0, Kind.FAIR));
			}
		}
		WaitRecord all = record.with(places);
		Served served = (view.held() == null) ? all.serve(this.context.settings().reservation)
				: new Served(all, List.of());
		Entry whom = served.record().whom();
		AcquireCommand next = (whom != null && view.held() == null) ? command(whom.attempt()) : null;
		if (next != null) {
			return grant(link, view, served, next, queues);
		}
		if (!checked && !record.shares().isEmpty()) {
			return link.survivors(record)
				.thenCompose((rest) -> rest.equals(living) ? wait(link, view, served, queues)
						: decide(link, view, rest, true));
		}
		return wait(link, view, served, queues);
	}

	private CompletableFuture<List<AcquireReply>> grant(Link link, View view, Served served, AcquireCommand next,
			boolean queues) {
		long sent = System.nanoTime();
		WaitRecord rest = queues ? served.record().released() : served.record().released().withQueue(List.of());
		Op create = Op.create(this.context.layout().held(id()),
				HeldRecord.fresh(next.attempt(), this.context.settings().instanceId, link.name(), next.ttl(), 1),
				this.context.acl(), CreateMode.EPHEMERAL);
		return new Handover(this.context, this.key, this.keeper, link, view, List.of(), List.of(create, link.proof()))
			.leave(rest)
			.thenCompose((result) -> {
				if (!result.outcome().succeeded()) {
					return (result.outcome().code() == Code.NONODE) ? makeBucket(link) : look(link);
				}
				placed(link, rest, sent);
				if (!link.outlives(sent, next.ttl())) {
					throw this.context.failures().stalled();
				}
				long token = HeldRecord.token(result.outcome().zxid());
				this.context.granted(local(), new Grant(this.key, local(), next.attempt(), this.keeper, link, token, 1,
						view.fence().version(), rest.isEmpty() && view.waiting() == null, sent, next.ttl()));
				return done(replies(next.attempt(), new AcquireReply.Granted(token, 1),
						View.refused(this.context.settings().instanceId, next.ttl(), queues)));
			});
	}

	private List<AcquireReply> replies(AttemptId who, AcquireReply granted, AcquireReply refused) {
		List<AcquireReply> replies = new ArrayList<>();
		attempts().forEach((attempt) -> replies.add(attempt.equals(who) ? granted : refused));
		return replies;
	}

	/** Nobody is granted the key who did not have it. */
	private CompletableFuture<List<AcquireReply>> wait(Link link, View view, Served served, boolean queues) {
		AcquireReply refused = view.refused(served.record(), queues);
		boolean fresh = served.whom().isEmpty() && attempts().stream()
			.allMatch((attempt) -> this.context.isFresh(local(), attempt, link, view.waitingOrEmpty())
					|| served.record().entry(this.context.settings().instanceId, attempt) == null);
		if (!queues) {
			return answer(link, view, refused)
				.thenCompose((answers) -> answers.stream().anyMatch(AcquireReply.Granted.class::isInstance)
						? done(answers) : certain(link, view, answers, () -> look(link)));
		}
		if (fresh) {
			return answer(link, view, refused);
		}
		// The first who waits makes sure that there is something to wait for.
		List<Op> last = (view.waiting() == null && view.held() != null)
				? List.of(Op.check(this.context.layout().held(id()), -1)) : List.of();
		long sent = System.nanoTime();
		return new Handover(this.context, this.key, this.keeper, link, view, List.of(), last)
			.commit(served.record(), served.whom())
			.thenCompose((result) -> {
				if (result.dead() != null) {
					this.dead.add(result.dead());
					return decide(link, view);
				}
				if (!result.outcome().succeeded()) {
					return look(link);
				}
				placed(link, served.record(), sent);
				return answer(link, view, refused);
			});
	}

	private void placed(Link link, WaitRecord record, long sent) {
		for (AttemptId attempt : attempts()) {
			if (record.entry(this.context.settings().instanceId, attempt) != null) {
				this.context.placed(this.key, local(), new LocalKey.Place(attempt, this.keeper, sent, Kind.FAIR));
			}
		}
	}

	/** Answers, after a look at the one that may have the key already. */
	private CompletableFuture<List<AcquireReply>> answer(Link link, View view, AcquireReply refused) {
		AcquireCommand holder = (view.held() != null) ? command(view.held().attempt()) : null;
		if (holder == null) {
			return done(replies(AttemptId.random(), refused, refused));
		}
		AcquireTask again = new AcquireTask(this.context,
				new AcquireCommand(this.key, holder.attempt(), holder.ttl(), 1, true, holder.timeout()), false,
				this.keeper);
		again.submitted(local());
		return again.work().thenApply((answer) -> replies(holder.attempt(), answer, refused));
	}

}
