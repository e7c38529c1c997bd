package io.distributedlock.store.zookeeper;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;

import org.apache.zookeeper.CreateMode;
import org.apache.zookeeper.KeeperException.Code;
import org.apache.zookeeper.Op;
import org.jspecify.annotations.Nullable;

import io.distributedlock.spi.AcquireCommand;
import io.distributedlock.spi.AcquireReply;
import io.distributedlock.store.zookeeper.View.Fence;
import io.distributedlock.store.zookeeper.WaitRecord.Entry;
import io.distributedlock.store.zookeeper.WaitRecord.State;

/**
 * Gets a key, or a place in its queue.
 * <p>
 * If nobody is known to wait for the key, it is tried to make its node under the known
 * version of the bucket. Else, and if that is refused, all there is about the key is
 * read, and the change that follows from it is made under the versions read.
 */
final class AcquireTask extends KeyTask<AcquireReply> {

	private final AcquireCommand command;

	private final boolean enqueue;

	private final SessionKeeper keeper;

	/** Not null if there are many such commands. */
	private final @Nullable FenceReader fences;

	AcquireTask(StoreContext context, AcquireCommand command, boolean enqueue, SessionKeeper keeper) {
		this(context, command, enqueue, keeper, null);
	}

	AcquireTask(StoreContext context, AcquireCommand command, boolean enqueue, SessionKeeper keeper,
			@Nullable FenceReader fences) {
		super(context, command.key(), command.timeout());
		this.command = command;
		this.enqueue = enqueue;
		this.keeper = keeper;
		this.fences = fences;
	}

	@Override
	TakeBack takeBack() {
		return removal(this.command.attempt(), this.keeper);
	}

	@Override
	CompletableFuture<AcquireReply> work() {
		return connection(this.keeper).thenCompose((link) -> {
			Sessions.requireLongEnough(this.context, link, this.command.ttl());
			Grant mine = local().grant(this.command.attempt());
			if (mine != null && mine.isAlive()) {
				return again(mine);
			}
			if (mine != null) {
				// Its ttl is over: what comes now is another grant, with higher tokens.
				return new Removal(this.context, this.key, local(), this.command.attempt(), this.keeper, link).run()
					.thenCompose((removed) -> look(link));
			}
			Fence fence = this.context.fence(id());
			if (fence == null && this.fences != null && !this.command.repeated()) {
				return this.fences.read(id(), link).thenCompose((read) -> begin(link, read));
			}
			return begin(link, fence);
		});
	}

	private CompletableFuture<AcquireReply> begin(Link link, @Nullable Fence fence) {
		boolean simple = fence != null && !fence.names(id()) && !this.command.repeated();
		return simple ? make(link, fence) : look(link);
	}

	/**
	 * The attempt has the key already; its ttl begins once more.
	 */
	private CompletableFuture<AcquireReply> again(Grant mine) {
		long sent = System.nanoTime();
		CompletableFuture<Link.Outcome> proof = mine.link.commit(List.of(mine.link.proof()));
		return mine.link.readHeld(List.of(id())).thenCombine(proof, (records, proven) -> {
			HeldRecord record = records.get(0).get();
			if (record == null || !record.attempt().equals(mine.attempt)) {
				this.context.ended(mine);
				throw this.context.failures().unknown("The lock was taken away from this attempt.");
			}
			boolean here = record.session().equals(mine.link.name());
			if (!here || !proven.succeeded() || !mine.link.outlives(sent, this.command.ttl())) {
				throw this.context.failures().stalled();
			}
			mine.arm(sent, this.command.ttl());
			return new AcquireReply.Granted(mine.first, mine.size);
		});
	}

	private CompletableFuture<AcquireReply> make(Link link, Fence fence) {
		CompletableFuture<AcquireReply> result = new CompletableFuture<>();
		link.lane().submit(new Making(link, fence, result));
		return result;
	}

	private CompletableFuture<AcquireReply> look(Link link) {
		return link.load(id()).thenCompose((view) -> decide(link, view));
	}

	private CompletableFuture<AcquireReply> decide(Link link, View view) {
		this.context.seen(id(), view);
		if (reply().isDone()) {
			return CompletableFuture.failedFuture(this.context.failures().timedOut(true));
		}
		if (view.fence() == null) {
			return this.context.makeBucket(id(), link).thenCompose((made) -> look(link));
		}
		HeldRecord held = view.held();
		if (held != null) {
			if (held.attempt().equals(this.command.attempt())) {
				return adopt(link, held, view.fence(), view.waiting() == null);
			}
			return refuse(link, view, held.instance(), held.ttl());
		}
		WaitRecord waiting = view.waitingOrEmpty();
		if (!waiting.isReservedFor(this.command.attempt()) && !this.context.isOver(id(), waiting)) {
			Entry whom = waiting.whom();
			return refuse(link, view, (whom != null) ? whom.instance() : null, waiting.time());
		}
		WaitRecord living = this.context.living(id(), waiting);
		return link.survivors(living).thenCompose((rest) -> {
			ShareRecord last = rest.lastShare();
			return (last != null) ? refuse(link, view, last.instance(), last.time()) : grant(link, view, waiting);
		});
	}

	/**
	 * An earlier sending of this attempt had no answer, and was executed.
	 */
	private CompletableFuture<AcquireReply> adopt(Link link, HeldRecord held, Fence fence, boolean quiet) {
		if (!held.session().equals(link.name())) {
			return CompletableFuture.failedFuture(this.context.failures()
				.unknown("The attempt has the lock in an earlier session, which is about to end."));
		}
		Grant grant = new Grant(this.key, local(), this.command.attempt(), this.keeper, link, held.first(), held.size(),
				fence.version(), quiet, System.nanoTime(), this.command.ttl());
		this.context.granted(local(), grant);
		return again(grant);
	}

	private CompletableFuture<AcquireReply> grant(Link link, View view, WaitRecord waiting) {
		long sent = System.nanoTime();
		int tokens = Math.min(this.command.tokens(), HeldRecord.BLOCK);
		List<Op> last = List.of(create(link, tokens), link.proof());
		WaitRecord rest = this.context.living(id(),
				waiting.released().withShares(List.of()).without(this.context.settings().instanceId));
		return new Handover(this.context, this.key, this.keeper, link, view, List.of(), last).leave(rest)
			.thenCompose((result) -> {
				if (!result.outcome().succeeded()) {
					return noBucket(result.outcome())
							? this.context.makeBucket(id(), link).thenCompose((made) -> look(link)) : look(link);
				}
				return done(
						granted(link, result.outcome().zxid(), view.fence().version(), rest.isEmpty(), sent, tokens));
			});
	}

	private boolean noBucket(Link.Outcome outcome) {
		return outcome.code() == Code.NONODE;
	}

	private Op create(Link link, int tokens) {
		return Op.create(
				this.context.layout().held(id()), HeldRecord.fresh(this.command.attempt(),
						this.context.settings().instanceId, link.name(), this.command.ttl(), tokens),
				this.context.acl(), CreateMode.EPHEMERAL);
	}

	private AcquireReply granted(Link link, long zxid, int fence, boolean quiet, long sent, int tokens) {
		if (!link.outlives(sent, this.command.ttl())) {
			throw this.context.failures().stalled();
		}
		long first = HeldRecord.token(zxid);
		// The place was for all callers of this JVM, and one of them is served.
		local().place = null;
		this.context.granted(local(), new Grant(this.key, local(), this.command.attempt(), this.keeper, link, first,
				tokens, fence, quiet, sent, this.command.ttl()));
		return new AcquireReply.Granted(first, tokens);
	}

	private CompletableFuture<AcquireReply> refuse(Link link, View view, @Nullable String holder, Duration freeIn) {
		if (!this.enqueue || !this.context.canBeSignalled(link)) {
			return certain(link, view, View.refused(holder, freeIn, false), () -> look(link));
		}
		AcquireReply refused = View.refused(holder, freeIn, true);
		if (this.context.isFresh(local(), this.command.attempt(), link, view.waitingOrEmpty())) {
			return done(refused);
		}
		WaitRecord queue = this.context.living(id(), view.waitingOrEmpty())
			.with(new Entry(this.context.settings().instanceId, this.command.attempt(), link.name(), 0, 0));
		// The first who waits makes sure that there is something to wait for.
		List<Op> last = (view.waiting() == null && view.held() != null)
				? List.of(Op.check(this.context.layout().held(id()), -1)) : List.of();
		long sent = System.nanoTime();
		return new Handover(this.context, this.key, this.keeper, link, view, List.of(), last).leave(queue)
			.thenCompose((result) -> {
				if (!result.outcome().succeeded()) {
					return look(link);
				}
				this.context.placed(this.key, local(),
						new LocalKey.Place(this.command.attempt(), this.keeper, sent, Kind.ALONE));
				return done(refused);
			});
	}

	/**
	 * Makes the key's node, if nobody has it and nobody waits for it.
	 */
	private final class Making implements Lane.Step {

		private final Link link;

		private final Fence fence;

		private final int tokens = Math.min(AcquireTask.this.command.tokens(), HeldRecord.BLOCK);

		private final CompletableFuture<AcquireReply> result;

		private long sent;

		Making(Link link, Fence fence, CompletableFuture<AcquireReply> result) {
			this.link = link;
			this.fence = fence;
			this.result = result;
		}

		@Override
		public boolean begin() {
			if (reply().isDone()) {
				this.result.completeExceptionally(AcquireTask.this.context.failures().timedOut(false));
				return false;
			}
			this.sent = System.nanoTime();
			return true;
		}

		@Override
		public List<Op> operations() {
			return List.of(
					Op.check(AcquireTask.this.context.layout().waitBucket(Layout.bucket(id())), this.fence.version()),
					create(this.link, this.tokens));
		}

		@Override
		public boolean needsId() {
			return true;
		}

		@Override
		public void done(long zxid) {
			try {
				this.result.complete(granted(this.link, zxid, this.fence.version(), true, this.sent, this.tokens));
			}
			catch (RuntimeException ex) {
				this.result.completeExceptionally(ex);
			}
		}

		@Override
		public void refused(int operation, Code code) {
			readsAreCertain();
			CompletableFuture<AcquireReply> next = (operation == 1 && code == Code.NONODE)
					? AcquireTask.this.context.makeBucket(id(), this.link).thenCompose((made) -> look(this.link))
					: look(this.link);
			next.whenComplete((answer, failure) -> {
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
			this.result.completeExceptionally(AcquireTask.this.context.failures().of(code));
		}

	}

}
