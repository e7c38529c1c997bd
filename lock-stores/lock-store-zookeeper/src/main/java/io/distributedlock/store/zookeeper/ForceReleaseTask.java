package io.distributedlock.store.zookeeper;

import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;

import org.apache.zookeeper.CreateMode;
import org.apache.zookeeper.KeeperException.Code;
import org.apache.zookeeper.Op;

import io.distributedlock.LockKey;
import io.distributedlock.spi.AttemptId;

/**
 * Ends somebody else's grant. Shares are in the record of the key, and leave it like
 * those that are released. A holder that is alone takes two steps. First the key gets a
 * record of waiters, if it has none: from then on nobody can release or get the key
 * without changing that record, so the node that is deleted in the second step is the one
 * that was looked at.
 */
final class ForceReleaseTask extends KeyTask<Boolean> {

	private final long token;

	private final SessionKeeper keeper;

	ForceReleaseTask(StoreContext context, LockKey key, long token, Duration timeout, SessionKeeper keeper) {
		super(context, key, timeout);
		this.token = token;
		this.keeper = keeper;
	}

	@Override
	CompletableFuture<Boolean> work() {
		return connection(this.keeper).thenCompose((link) -> look(link, true));
	}

	private CompletableFuture<Boolean> look(Link link, boolean tell) {
		return link.load(id()).thenCompose((view) -> {
			this.context.seen(id(), view);
			HeldRecord held = view.held();
			WaitRecord rest = this.context.living(id(), view.waitingOrEmpty())
				.keepShares((share) -> !share.isHeld() || share.token() != this.token);
			List<ShareRecord> ended = view.waitingOrEmpty()
				.shares()
				.stream()
				.filter((share) -> share.isHeld() && share.token() == this.token)
				.toList();
			if (view.fence() != null && !ended.isEmpty()) {
				return endShares(link, view, rest, tell ? ended : List.of());
			}
			if (view.fence() == null || held == null || this.token < held.first() || this.token > held.last()) {
				return unmark(link, view);
			}
			return (view.waiting() == null) ? mark(link, tell) : end(link, view, held, tell);
		});
	}

	/** There is no such grant, or not any more; then no mark of ours may stay behind. */
	private CompletableFuture<Boolean> unmark(Link link, View view) {
		if (view.fence() == null || view.waiting() == null || !view.waiting().isEmpty()) {
			return done(false);
		}
		return new Handover(this.context, this.key, this.keeper, link, view).leave(view.waiting())
			.thenApply((result) -> false);
	}

	private CompletableFuture<Boolean> mark(Link link, boolean tell) {
		List<Op> operations = List.of(
				Op.setData(this.context.layout().waitBucket(Layout.bucket(id())), Link.NOTHING, -1),
				Op.create(this.context.layout().wait(id()), WaitRecord.EMPTY.bytes(), this.context.acl(),
						CreateMode.PERSISTENT),
				Op.check(this.context.layout().held(id()), -1));
		return link.commit(operations).thenCompose((outcome) -> look(link, tell));
	}

	private CompletableFuture<Boolean> endShares(Link link, View view, WaitRecord rest, List<ShareRecord> told) {
		Map<String, List<AttemptId>> receivers = new LinkedHashMap<>();
		told.forEach((share) -> receivers.computeIfAbsent(share.session(), (session) -> new ArrayList<>())
			.add(share.attempt()));
		List<Op> first = new ArrayList<>();
		receivers.forEach((session, attempts) -> first
			.add(Op.setData(this.context.layout().inbox(session), Inbox.revoked(id(), attempts), -1)));
		return new Handover(this.context, this.key, this.keeper, link, view, first, List.of()).run(rest, null)
			.thenCompose((result) -> {
				Link.Outcome outcome = result.outcome();
				if (outcome.succeeded()) {
					return done(true);
				}
				boolean deaf = outcome.code() == Code.NONODE && outcome.failed() >= 0
						&& outcome.failed() < first.size();
				if (!deaf) {
					return look(link, true);
				}
				String gone = List.copyOf(receivers.keySet()).get(outcome.failed());
				return endShares(link, view, rest,
						told.stream().filter((share) -> !share.session().equals(gone)).toList());
			});
	}

	private CompletableFuture<Boolean> end(Link link, View view, HeldRecord held, boolean tell) {
		List<Op> first = new ArrayList<>();
		if (tell) {
			first.add(Op.setData(this.context.layout().inbox(held.session()),
					Inbox.revoked(id(), List.of(held.attempt())), -1));
		}
		return new Handover(this.context, this.key, this.keeper, link, view, first,
				List.of(Op.delete(this.context.layout().held(id()), -1)))
			.run(this.context.living(id(), view.waitingOrEmpty()), null)
			.thenCompose((result) -> {
				if (result.outcome().succeeded()) {
					return done(true);
				}
				boolean deaf = tell && result.outcome().failed() == 0 && result.outcome().code() == Code.NONODE;
				return look(link, tell && !deaf);
			});
	}

}
