package io.distributedlock.store.zookeeper;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;

import org.apache.zookeeper.CreateMode;
import org.apache.zookeeper.Op;
import org.jspecify.annotations.Nullable;

import io.distributedlock.spi.RenewCommand;
import io.distributedlock.spi.RenewReply;

/**
 * Renews a grant for longer than its session lives: its node is deleted and made again,
 * in one transaction, in a session that lives long enough.
 */
final class MoveTask extends KeyTask<RenewReply> {

	private final RenewCommand command;

	private final SessionKeeper keeper;

	private volatile @Nullable Grant before;

	MoveTask(StoreContext context, RenewCommand command, SessionKeeper keeper) {
		super(context, command.key(), command.timeout());
		this.command = command;
		this.keeper = keeper;
	}

	@Override
	@Nullable TakeBack takeBack() {
		Grant grant = this.before;
		return (grant != null) ? new TakeBack(List.of(grant.attempt), this.keeper, (link) -> settle(grant, link))
				: null;
	}

	@Override
	CompletableFuture<RenewReply> work() {
		Grant grant = local().grant(this.command.attempt());
		if (grant == null || !grant.isAlive()) {
			return done(RenewReply.NOT_OWNER);
		}
		this.before = grant;
		return connection(this.keeper).thenCompose((link) -> {
			Sessions.requireLongEnough(this.context, link, this.command.ttl());
			return look(grant, link);
		});
	}

	/**
	 * Finds out in which session the grant is, if the answer did not come: the one that
	 * it was in may end, and the grant must not be forgotten then.
	 */
	CompletableFuture<Boolean> settle(Grant grant, Link link) {
		Grant known = local().grant(grant.attempt);
		if (known != null && known != grant) {
			return done(true);
		}
		return link.load(id()).thenCompose((view) -> {
			this.context.seen(id(), view);
			HeldRecord held = grant.in(view);
			if (held == null) {
				this.context.ended(grant);
				return done(true);
			}
			if (!grant.isAlive()) {
				return removal(grant.attempt, this.keeper).work().apply(link);
			}
			if (held.session().equals(link.name())) {
				long now = System.nanoTime();
				replace(grant, moved(grant, link, view, now, Duration.ofNanos(grant.deadline() - now)));
			}
			return done(true);
		});
	}

	private Grant moved(Grant grant, Link link, View view, long sent, Duration ttl) {
		if (grant.shared) {
			return Grant.share(this.key, local(), grant.attempt, this.keeper, link, grant.first, sent, ttl);
		}
		return new Grant(this.key, local(), grant.attempt, this.keeper, link, grant.first, grant.size,
				view.fence().version(), view.waitingOrEmpty().isEmpty(), sent, ttl);
	}

	private void replace(Grant grant, Grant moved) {
		try {
			// There is no moment without a grant, in which it would seem lost.
			this.context.granted(local(), moved);
		}
		finally {
			this.context.ended(grant);
		}
	}

	private CompletableFuture<RenewReply> look(Grant grant, Link link) {
		return link.load(id()).thenCompose((view) -> {
			this.context.seen(id(), view);
			HeldRecord held = grant.in(view);
			if (held == null) {
				this.context.ended(grant);
				return done(RenewReply.NOT_OWNER);
			}
			return grant.isAlive() ? move(grant, link, view, held) : done(RenewReply.NOT_OWNER);
		});
	}

	private CompletableFuture<RenewReply> move(Grant grant, Link link, View view, HeldRecord held) {
		long sent = System.nanoTime();
		String path = this.context.layout().held(id());
		byte[] record = new HeldRecord(held.attempt(), held.instance(), link.name(), this.command.ttl(), held.first(),
				held.size(), held.last())
			.extended(this.command.ttl(), 0);
		List<Op> last = new ArrayList<>();
		WaitRecord waiting = view.waitingOrEmpty();
		ShareRecord share = waiting.share(grant.attempt);
		if (grant.shared && share != null) {
			waiting = waiting.with(share.moved(link.name(), this.command.ttl()));
		}
		else if (held.session().equals(link.name())) {
			// An earlier move was executed, and nobody was told.
			last.add(Op.setData(path, record, -1));
		}
		else {
			last.addAll(this.context.delete(id(), held, link));
			last.add(Op.create(path, record, this.context.acl(), CreateMode.EPHEMERAL));
		}
		last.add(link.proof());
		return new Handover(this.context, this.key, this.keeper, link, view, List.of(), last).leave(waiting)
			.whenComplete((result, failure) -> {
				if (failure != null) {
					grant.unsure();
				}
			})
			.thenCompose((result) -> {
				if (!result.outcome().succeeded()) {
					return look(grant, link);
				}
				replace(grant, moved(grant, link, view, sent, this.command.ttl()));
				if (!link.outlives(sent, this.command.ttl())) {
					return CompletableFuture.failedFuture(this.context.failures().stalled());
				}
				return done(RenewReply.RENEWED);
			});
	}

}
