package io.distributedlock.store.zookeeper;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;

import org.apache.zookeeper.CreateMode;
import org.apache.zookeeper.Op;

import io.distributedlock.spi.ReleaseCommand;
import io.distributedlock.spi.ReleaseReply;
import io.distributedlock.store.zookeeper.WaitRecord.Entry;

/**
 * Gives a grant back. If the next in the queue is a caller of this JVM that wants strict
 * order, it has the key in the same transaction.
 * <p>
 * What becomes of that caller is not taken back if the answer is late: it finds out when
 * it asks again, and leaves nothing when it is abandoned, since its place is known until
 * then.
 */
final class LineReleaseTask extends KeyTask<ReleaseReply> {

	private static final ReleaseReply NOT_OWNER = new ReleaseReply.NotOwner();

	private final ReleaseCommand command;

	private final Duration ttl;

	private final SessionKeeper keeper;

	LineReleaseTask(StoreContext context, ReleaseCommand command, Duration ttl, SessionKeeper keeper) {
		super(context, command.key(), command.timeout());
		this.command = command;
		this.ttl = ttl;
		this.keeper = keeper;
	}

	@Override
	CompletableFuture<ReleaseReply> work() {
		Grant grant = local().grant(this.command.attempt());
		if (grant == null || !grant.isAlive()) {
			return done(NOT_OWNER);
		}
		if (grant.isShownBy(this.context.fence(id()))) {
			// As far as this JVM knows nobody waits.
			ReleaseTask release = new ReleaseTask(this.context, this.command);
			release.submitted(local());
			return connection(grant.keeper).thenCompose((link) -> release.work());
		}
		return connection(this.keeper).thenCompose((link) -> {
			Sessions.requireLongEnough(this.context, link, this.ttl);
			return grant.link.hasEnded() ? done(NOT_OWNER) : look(grant, link);
		});
	}

	private CompletableFuture<ReleaseReply> look(Grant grant, Link link) {
		return link.load(id()).thenCompose((view) -> {
			this.context.seen(id(), view);
			return decide(grant, link, view);
		});
	}

	private CompletableFuture<ReleaseReply> decide(Grant grant, Link link, View view) {
		HeldRecord held = grant.in(view);
		if (held == null) {
			this.context.ended(grant);
			return done(NOT_OWNER);
		}
		if (!grant.isAlive()) {
			return done(NOT_OWNER);
		}
		WaitRecord waiting = this.context.living(id(), view.waitingOrEmpty());
		Entry next = waiting.queue().isEmpty() ? null : waiting.queue().get(0);
		boolean ours = next != null && next.kind().equals(Kind.FAIR)
				&& next.instance().equals(this.context.settings().instanceId) && !reply().isDone();
		if (ours) {
			return pass(grant, link, view, held, next, waiting.without(next.instance(), next.attempt()));
		}
		return new Handover(this.context, this.key, this.keeper, link, view, List.of(),
				this.context.delete(id(), held, link))
			.run(waiting, null)
			.whenComplete((result, failure) -> unsure(grant, failure != null))
			.thenCompose((result) -> {
				if (!result.outcome().succeeded()) {
					return look(grant, link);
				}
				this.context.ended(grant);
				return done(new ReleaseReply.Released(result.isReserved()));
			});
	}

	private static void unsure(Grant grant, boolean failed) {
		if (failed) {
			grant.unsure();
		}
	}

	private CompletableFuture<ReleaseReply> pass(Grant grant, Link link, View view, HeldRecord held, Entry next,
			WaitRecord rest) {
		long sent = System.nanoTime();
		String path = this.context.layout().held(id());
		byte[] record = HeldRecord.fresh(next.attempt(), next.instance(), link.name(), this.ttl, 1);
		List<Op> last = new ArrayList<>();
		if (held.session().equals(link.name())) {
			last.add(Op.setData(path, record, -1));
		}
		else {
			last.addAll(this.context.delete(id(), held, link));
			last.add(Op.create(path, record, this.context.acl(), CreateMode.EPHEMERAL));
		}
		last.add(link.proof());
		return new Handover(this.context, this.key, this.keeper, link, view, List.of(), last).leave(rest)
			.whenComplete((result, failure) -> unsure(grant, failure != null))
			.thenCompose((result) -> {
				if (!result.outcome().succeeded()) {
					return look(grant, link);
				}
				this.context.ended(grant);
				if (!link.outlives(sent, this.ttl)) {
					return CompletableFuture.failedFuture(this.context.failures().stalled());
				}
				long token = HeldRecord.token(result.outcome().zxid());
				this.context.granted(local(), new Grant(this.key, local(), next.attempt(), this.keeper, link, token, 1,
						view.fence().version(), false, sent, this.ttl));
				return done(new ReleaseReply.Passed(next.attempt(), token));
			});
	}

}
