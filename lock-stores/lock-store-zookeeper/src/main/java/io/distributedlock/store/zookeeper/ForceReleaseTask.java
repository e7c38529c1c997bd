package io.distributedlock.store.zookeeper;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;

import org.apache.zookeeper.CreateMode;
import org.apache.zookeeper.KeeperException.Code;
import org.apache.zookeeper.Op;

import io.distributedlock.LockKey;

/**
 * Ends somebody else's grant. First the key gets a record of waiters, if it has none:
 * from then on nobody can release or get the key without changing that record, so the
 * node that is deleted in the second step is the one that was looked at.
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

	private CompletableFuture<Boolean> end(Link link, View view, HeldRecord held, boolean tell) {
		List<Op> first = new ArrayList<>();
		if (tell) {
			first.add(Op.setData(this.context.layout().inbox(held.session()), Inbox.revoked(id(), held.attempt()), -1));
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
