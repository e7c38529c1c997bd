package io.distributedlock.store.zookeeper;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;

import org.apache.zookeeper.CreateMode;
import org.apache.zookeeper.Op;

import io.distributedlock.spi.RenewCommand;
import io.distributedlock.spi.RenewReply;

/**
 * Renews a grant for longer than its session lives: its node is deleted and made again,
 * in one transaction, in a session that lives long enough.
 */
final class MoveTask extends KeyTask<RenewReply> {

	private final RenewCommand command;

	private final SessionKeeper keeper;

	MoveTask(StoreContext context, RenewCommand command, SessionKeeper keeper) {
		super(context, command.key(), command.timeout());
		this.command = command;
		this.keeper = keeper;
	}

	@Override
	CompletableFuture<RenewReply> work() {
		Grant grant = local().grant(this.command.attempt());
		if (grant == null || !grant.isAlive()) {
			return done(RenewReply.NOT_OWNER);
		}
		return connection(this.keeper).thenCompose((link) -> {
			Sessions.requireLongEnough(this.context, link, this.command.ttl());
			return look(grant, link);
		});
	}

	private CompletableFuture<RenewReply> look(Grant grant, Link link) {
		return link.load(id()).thenCompose((view) -> {
			this.context.seen(id(), view);
			HeldRecord held = view.held();
			if (view.fence() == null || held == null || !held.attempt().equals(grant.attempt)) {
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
		List<Op> last = new ArrayList<>(this.context.delete(id(), held, link));
		last.add(Op.create(path, record, this.context.acl(), CreateMode.EPHEMERAL));
		last.add(link.proof());
		return new Handover(this.context, this.key, this.keeper, link, view, List.of(), last)
			.leave(view.waitingOrEmpty())
			.whenComplete((result, failure) -> {
				if (failure != null) {
					grant.unsure();
				}
			})
			.thenCompose((result) -> {
				if (!result.outcome().succeeded()) {
					return look(grant, link);
				}
				Grant moved = new Grant(this.key, local(), grant.attempt, this.keeper, link, grant.first, grant.size,
						view.fence().version(), view.waiting() == null || view.waitingOrEmpty().isEmpty(), sent,
						this.command.ttl());
				LocalKey.Place place = local().place;
				try {
					// There is no moment without a grant, in which it would seem lost.
					this.context.granted(local(), moved);
				}
				finally {
					this.context.ended(grant);
				}
				local().place = place;
				if (!link.outlives(sent, this.command.ttl())) {
					return CompletableFuture.failedFuture(this.context.failures().stalled());
				}
				return done(RenewReply.RENEWED);
			});
	}

}
