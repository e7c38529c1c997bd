package io.distributedlock.store.zookeeper;

import java.util.List;
import java.util.concurrent.CompletableFuture;

import org.apache.zookeeper.KeeperException.Code;
import org.apache.zookeeper.Op;

import io.distributedlock.spi.ReleaseCommand;
import io.distributedlock.spi.ReleaseReply;
import io.distributedlock.store.zookeeper.View.Fence;

/**
 * Gives a grant back. If nobody is known to wait for the key, its node is deleted under
 * the version of the bucket at which it was granted: as long as that has not changed,
 * nobody waits, and nobody has taken the grant away by force. Else all there is about the
 * key is read first.
 */
final class ReleaseTask extends KeyTask<ReleaseReply> {

	private static final ReleaseReply NOT_OWNER = new ReleaseReply.NotOwner();

	private final ReleaseCommand command;

	ReleaseTask(StoreContext context, ReleaseCommand command) {
		super(context, command.key(), command.timeout());
		this.command = command;
	}

	@Override
	CompletableFuture<ReleaseReply> work() {
		return withGrant(this.command.attempt(), NOT_OWNER, (grant) -> {
			Fence fence = this.context.fence(id());
			boolean simple = grant.isShownBy(fence) && this.command.keepFor().isZero();
			return simple ? delete(grant) : look(grant);
		});
	}

	private CompletableFuture<ReleaseReply> delete(Grant grant) {
		CompletableFuture<ReleaseReply> result = new CompletableFuture<>();
		grant.link.lane().submit(new Deleting(grant, result));
		return result;
	}

	private CompletableFuture<ReleaseReply> look(Grant grant) {
		return grant.link.load(id()).thenCompose((view) -> decide(grant, view));
	}

	private CompletableFuture<ReleaseReply> decide(Grant grant, View view) {
		this.context.seen(id(), view);
		if (view.fence() == null || view.held() == null || !view.held().attempt().equals(grant.attempt)) {
			this.context.ended(grant);
			return done(NOT_OWNER);
		}
		WaitRecord waiting = view.waitingOrEmpty();
		Handover handover = new Handover(this.context, this.key, grant.keeper, grant.link, view, List.of(),
				this.context.delete(id(), view.held(), grant.link));
		CompletableFuture<Handover.Result> changed = this.command.keepFor().isZero()
				? handover.run(this.context.living(id(), waiting), null)
				: handover.leave(waiting.cooling(this.command.keepFor()));
		return changed.whenComplete((result, failure) -> {
			if (failure != null) {
				grant.unsure();
			}
		}).thenCompose((result) -> {
			if (!result.outcome().succeeded()) {
				return look(grant);
			}
			this.context.ended(grant);
			return done(new ReleaseReply.Released(result.isReserved()));
		});
	}

	/**
	 * Deletes the key's node, if nobody waits for it.
	 */
	private final class Deleting implements Lane.Step {

		private final Grant grant;

		private final CompletableFuture<ReleaseReply> result;

		Deleting(Grant grant, CompletableFuture<ReleaseReply> result) {
			this.grant = grant;
			this.result = result;
		}

		@Override
		public boolean begin() {
			if (reply().isDone()) {
				this.result.completeExceptionally(ReleaseTask.this.context.failures().timedOut(false));
				return false;
			}
			if (this.grant.ended) {
				this.result.complete(NOT_OWNER);
				return false;
			}
			return true;
		}

		@Override
		public List<Op> operations() {
			return List.of(
					Op.check(ReleaseTask.this.context.layout().waitBucket(Layout.bucket(id())), this.grant.fence),
					Op.delete(ReleaseTask.this.context.layout().held(id()), -1));
		}

		@Override
		public boolean needsId() {
			return false;
		}

		@Override
		public void done(long zxid) {
			ReleaseTask.this.context.ended(this.grant);
			this.result.complete(new ReleaseReply.Released(false));
		}

		@Override
		public void refused(int operation, Code code) {
			look(this.grant).whenComplete((answer, failure) -> {
				if (failure != null) {
					this.result.completeExceptionally(failure);
				}
				else {
					this.result.complete(answer);
				}
			});
		}

		@Override
		public void failed(Code code) {
			// Sent again, it could meet the next holder's node.
			this.grant.unsure();
			this.result.completeExceptionally(ReleaseTask.this.context.failures().of(code));
		}

	}

}
