package io.distributedlock.store.zookeeper;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;

import org.apache.zookeeper.CreateMode;
import org.apache.zookeeper.Op;
import org.jspecify.annotations.Nullable;

import io.distributedlock.spi.AcquireCommand;
import io.distributedlock.spi.AcquireReply;
import io.distributedlock.spi.QueueingLockStore.Successor;
import io.distributedlock.spi.ReleaseCommand;
import io.distributedlock.spi.ReleaseReply;
import io.distributedlock.store.zookeeper.WaitRecord.Entry;

/**
 * Gives a grant back for the next waiter, and queues this JVM's next attempt behind the
 * others; if there are no others, that one has the key.
 */
final class ExchangeTask extends KeyTask<ReleaseReply> {

	private static final ReleaseReply NOT_OWNER = new ReleaseReply.NotOwner();

	private final ReleaseCommand command;

	private final Successor successor;

	private final SessionKeeper keeper;

	ExchangeTask(StoreContext context, ReleaseCommand command, Successor successor, SessionKeeper keeper) {
		super(context, command.key(), command.timeout());
		this.command = command;
		this.successor = successor;
		this.keeper = keeper;
	}

	@Override
	TakeBack takeBack() {
		return removal(this.successor.attempt(), this.keeper);
	}

	@Override
	CompletableFuture<ReleaseReply> work() {
		Grant grant = local().grant(this.command.attempt());
		if (grant == null || !grant.isAlive()) {
			return repeated();
		}
		return connection(this.keeper).thenCompose((link) -> {
			Sessions.requireLongEnough(this.context, link, this.successor.ttl());
			return grant.link.hasEnded() ? done(NOT_OWNER) : look(grant, link);
		});
	}

	/**
	 * "Not owner" promises that the successor has nothing, so a command whose first
	 * answer was lost is told what its successor has.
	 */
	private CompletableFuture<ReleaseReply> repeated() {
		boolean waits = local().place(this.successor.attempt()) != null;
		if (local().grant(this.successor.attempt()) == null && !waits) {
			return done(NOT_OWNER);
		}
		AcquireTask again = new AcquireTask(this.context, new AcquireCommand(this.key, this.successor.attempt(),
				this.successor.ttl(), this.successor.tokens(), true, this.command.timeout()), waits, this.keeper);
		again.submitted(local());
		return connection(this.keeper).thenCompose((link) -> again.work()).thenApply((answer) -> {
			if (answer instanceof AcquireReply.Granted granted) {
				return new ReleaseReply.Succeeded(granted.firstToken(), granted.tokens());
			}
			return new ReleaseReply.Queued(((AcquireReply.Refused) answer).queued());
		});
	}

	private CompletableFuture<ReleaseReply> look(Grant grant, Link link) {
		return link.load(id()).thenCompose((view) -> decide(grant, link, view));
	}

	private CompletableFuture<ReleaseReply> decide(Grant grant, Link link, View view) {
		this.context.seen(id(), view);
		if (reply().isDone()) {
			return CompletableFuture.failedFuture(this.context.failures().timedOut(true));
		}
		if (view.fence() == null || view.held() == null || !view.held().attempt().equals(grant.attempt)) {
			this.context.ended(grant);
			return done(NOT_OWNER);
		}
		if (!grant.isAlive()) {
			return done(NOT_OWNER);
		}
		WaitRecord others = this.context.living(id(),
				view.waitingOrEmpty().without(this.context.settings().instanceId));
		if (others.queue().isEmpty()) {
			return succeed(grant, link, view, view.held(), others);
		}
		boolean queued = this.context.canBeSignalled(link);
		Entry newcomer = queued
				? new Entry(this.context.settings().instanceId, this.successor.attempt(), link.name(), 0, 0) : null;
		return wait(grant, link, view, view.held(), others, newcomer);
	}

	private CompletableFuture<ReleaseReply> wait(Grant grant, Link link, View view, HeldRecord held, WaitRecord others,
			@Nullable Entry newcomer) {
		long sent = System.nanoTime();
		return new Handover(this.context, this.key, grant.keeper, link, view, List.of(),
				this.context.delete(id(), held, link))
			.run(others, newcomer)
			.whenComplete((result, failure) -> {
				if (failure != null) {
					grant.unsure();
				}
			})
			.thenCompose((result) -> {
				if (!result.outcome().succeeded()) {
					return look(grant, link);
				}
				this.context.ended(grant);
				if (!result.isReserved()) {
					// All others were dead; nobody has the key now.
					return take();
				}
				if (newcomer != null) {
					this.context.placed(this.key, local(),
							new LocalKey.Place(this.successor.attempt(), this.keeper, sent, Kind.ALONE));
				}
				return done(new ReleaseReply.Queued(newcomer != null));
			});
	}

	private CompletableFuture<ReleaseReply> take() {
		AcquireTask acquire = new AcquireTask(this.context, new AcquireCommand(this.key, this.successor.attempt(),
				this.successor.ttl(), this.successor.tokens(), false, this.command.timeout()), true, this.keeper);
		acquire.submitted(local());
		return acquire.work().handle((answer, thrown) -> {
			if (thrown != null) {
				// The first half was executed, whatever became of the second.
				throw this.context.failures().unknown(this.context.failures().unexpected(thrown).getMessage());
			}
			if (answer instanceof AcquireReply.Granted granted) {
				return new ReleaseReply.Succeeded(granted.firstToken(), granted.tokens());
			}
			return new ReleaseReply.Queued(((AcquireReply.Refused) answer).queued());
		});
	}

	private CompletableFuture<ReleaseReply> succeed(Grant grant, Link link, View view, HeldRecord held,
			WaitRecord rest) {
		long sent = System.nanoTime();
		int tokens = Math.min(this.successor.tokens(), HeldRecord.BLOCK);
		String path = this.context.layout().held(id());
		byte[] record = HeldRecord.fresh(this.successor.attempt(), this.context.settings().instanceId, link.name(),
				this.successor.ttl(), tokens);
		List<Op> last = new ArrayList<>();
		if (held.session().equals(link.name())) {
			last.add(Op.setData(path, record, -1));
		}
		else {
			last.addAll(this.context.delete(id(), held, link));
			last.add(Op.create(path, record, this.context.acl(), CreateMode.EPHEMERAL));
			last.add(link.proof());
		}
		return new Handover(this.context, this.key, this.keeper, link, view, List.of(), last).leave(rest.released())
			.whenComplete((result, failure) -> {
				if (failure != null) {
					grant.unsure();
				}
			})
			.thenCompose((result) -> {
				if (!result.outcome().succeeded()) {
					return look(grant, link);
				}
				this.context.ended(grant);
				if (!link.outlives(sent, this.successor.ttl())) {
					return CompletableFuture.failedFuture(this.context.failures().stalled());
				}
				long first = HeldRecord.token(result.outcome().zxid());
				local().place = null;
				this.context.granted(local(), new Grant(this.key, local(), this.successor.attempt(), this.keeper, link,
						first, tokens, view.fence().version(), rest.released().isEmpty(), sent, this.successor.ttl()));
				return done(new ReleaseReply.Succeeded(first, tokens));
			});
	}

}
