package io.distributedlock.store.zookeeper;

import java.util.concurrent.CompletableFuture;

import io.distributedlock.spi.ReleaseCommand;
import io.distributedlock.spi.ReleaseReply;

/**
 * Gives a share back, and keeps the key for those whose turn it is then.
 */
final class ShareReleaseTask extends KeyTask<ReleaseReply> {

	private static final ReleaseReply NOT_OWNER = new ReleaseReply.NotOwner();

	private final ReleaseCommand command;

	ShareReleaseTask(StoreContext context, ReleaseCommand command) {
		super(context, command.key(), command.timeout());
		this.command = command;
	}

	@Override
	CompletableFuture<ReleaseReply> work() {
		return withGrant(this.command.attempt(), NOT_OWNER, (grant) -> {
			View written = local().written();
			return (written != null && grant.in(written) != null) ? decide(grant, written) : look(grant);
		});
	}

	private CompletableFuture<ReleaseReply> look(Grant grant) {
		return grant.link.load(id()).thenCompose((view) -> {
			this.context.seen(id(), view);
			return decide(grant, view);
		});
	}

	private CompletableFuture<ReleaseReply> decide(Grant grant, View view) {
		ShareRecord share = view.waitingOrEmpty().share(grant.attempt);
		if (grant.in(view) == null || share == null) {
			this.context.ended(grant);
			return done(NOT_OWNER);
		}
		WaitRecord rest = this.context.living(id(), view.waitingOrEmpty().withoutShare(grant.attempt));
		Handover handover = new Handover(this.context, this.key, grant.keeper, grant.link, view);
		CompletableFuture<Handover.Result> changed = this.command.keepFor().isZero() ? handover.run(rest, null)
				: handover.leave(rest.with(share.cooling(this.command.keepFor())));
		return changed.thenCompose((result) -> {
			if (!result.outcome().succeeded()) {
				local().failed(view);
				return look(grant);
			}
			local().written(result.after());
			this.context.ended(grant);
			return done(new ReleaseReply.Released(result.isReserved()));
		});
	}

}
