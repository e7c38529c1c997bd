package io.distributedlock.store.zookeeper;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;

import org.apache.zookeeper.KeeperException.Code;
import org.apache.zookeeper.Op;

import io.distributedlock.spi.ExtendCommand;
import io.distributedlock.spi.ExtendReply;
import io.distributedlock.store.zookeeper.View.Fence;

/**
 * Gives a grant further tokens and its full ttl, unless another JVM waits. The id of the
 * transaction that writes its node is what the tokens come from.
 */
final class ExtendTask extends KeyTask<ExtendReply> {

	private static final ExtendReply NOT_OWNER = new ExtendReply.NotOwner();

	private final ExtendCommand command;

	private final int tokens;

	ExtendTask(StoreContext context, ExtendCommand command) {
		super(context, command.key(), command.timeout());
		this.command = command;
		this.tokens = Math.min(command.tokens(), HeldRecord.BLOCK);
	}

	@Override
	CompletableFuture<ExtendReply> work() {
		return withGrant(this.command.attempt(), NOT_OWNER, (grant) -> {
			Sessions.requireLongEnough(this.context, grant.link, this.command.ttl());
			Fence fence = this.context.fence(id());
			return grant.isShownBy(fence) ? write(grant) : look(grant);
		});
	}

	private CompletableFuture<ExtendReply> write(Grant grant) {
		CompletableFuture<ExtendReply> result = new CompletableFuture<>();
		grant.link.lane().submit(new Writing(grant, result));
		return result;
	}

	private Op data(Grant grant) {
		HeldRecord record = new HeldRecord(grant.attempt, this.context.settings().instanceId, grant.link.name(),
				this.command.ttl(), grant.first, grant.size, 0);
		return Op.setData(this.context.layout().held(id()), record.extended(this.command.ttl(), this.tokens), -1);
	}

	private CompletableFuture<ExtendReply> look(Grant grant) {
		return grant.link.load(id()).thenCompose((view) -> decide(grant, view));
	}

	private CompletableFuture<ExtendReply> decide(Grant grant, View view) {
		this.context.seen(id(), view);
		if (view.fence() == null || view.held() == null || !view.held().attempt().equals(grant.attempt)) {
			this.context.ended(grant);
			return done(NOT_OWNER);
		}
		if (!view.held().session().equals(grant.link.name())) {
			// It was moved, and nobody was told; its next renewal finds it.
			return done(new ExtendReply.Yield());
		}
		grant.seen(view.fence().version(), view.waiting() == null);
		WaitRecord waiting = this.context.living(id(), view.waitingOrEmpty());
		if (!waiting.without(this.context.settings().instanceId).queue().isEmpty()) {
			return done(new ExtendReply.Yield());
		}
		long sent = System.nanoTime();
		List<Op> operations = new ArrayList<>();
		operations.add(this.context.fence(id(), view));
		if (view.waiting() != null) {
			operations.add(Op.check(this.context.layout().wait(id()), view.version()));
		}
		operations.add(data(grant));
		return grant.link.commit(operations)
			.thenCompose((outcome) -> outcome.succeeded() ? done(extended(grant, sent, outcome.zxid())) : look(grant));
	}

	private ExtendReply extended(Grant grant, long sent, long zxid) {
		if (!grant.link.outlives(sent, this.command.ttl())) {
			throw this.context.failures().stalled();
		}
		grant.arm(sent, this.command.ttl());
		return new ExtendReply.Extended(HeldRecord.token(zxid), this.tokens);
	}

	/**
	 * Writes the key's node, if nobody waits for it.
	 */
	private final class Writing implements Lane.Step {

		private final Grant grant;

		private final CompletableFuture<ExtendReply> result;

		private long sent;

		Writing(Grant grant, CompletableFuture<ExtendReply> result) {
			this.grant = grant;
			this.result = result;
		}

		@Override
		public boolean begin() {
			if (reply().isDone()) {
				this.result.completeExceptionally(ExtendTask.this.context.failures().timedOut(false));
				return false;
			}
			if (this.grant.ended) {
				this.result.complete(NOT_OWNER);
				return false;
			}
			this.sent = System.nanoTime();
			return true;
		}

		@Override
		public List<Op> operations() {
			return List.of(Op.check(ExtendTask.this.context.layout().waitBucket(Layout.bucket(id())), this.grant.fence),
					data(this.grant));
		}

		@Override
		public boolean needsId() {
			return true;
		}

		@Override
		public void done(long zxid) {
			try {
				this.result.complete(extended(this.grant, this.sent, zxid));
			}
			catch (RuntimeException ex) {
				this.result.completeExceptionally(ex);
			}
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
			this.result.completeExceptionally(ExtendTask.this.context.failures().of(code));
		}

	}

}
