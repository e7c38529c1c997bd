package io.distributedlock.store.zookeeper;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

import io.distributedlock.LockKey;

/**
 * Ends a reservation or a cooling time that this JVM has made, when it is over. It is
 * tried until it succeeds, since others do it only when they have seen it for as long.
 */
final class EndStateTask extends KeyTask<Boolean> {

	private static final long AGAIN_MILLIS = 500;

	private final SessionKeeper keeper;

	private final String stamp;

	EndStateTask(StoreContext context, LockKey key, SessionKeeper keeper, String stamp) {
		super(context, key, context.settings().commandTimeout);
		this.keeper = keeper;
		this.stamp = stamp;
		reply().whenComplete((done, failure) -> {
			if (failure != null && !context.isClosed()) {
				context.timer()
					.schedule(() -> context.submit(new EndStateTask(context, key, keeper, stamp)), AGAIN_MILLIS,
							TimeUnit.MILLISECONDS);
			}
		});
	}

	@Override
	CompletableFuture<Boolean> work() {
		return connection(this.keeper).thenCompose(this::end);
	}

	private CompletableFuture<Boolean> end(Link link) {
		return link.load(id()).thenCompose((view) -> {
			this.context.seen(id(), view);
			WaitRecord waiting = view.waitingOrEmpty();
			if (view.fence() == null || !waiting.passing().containsKey(this.stamp)) {
				return done(true);
			}
			WaitRecord rest = waiting.keepShares((share) -> share.isHeld() || !share.stamp().equals(this.stamp));
			return new Handover(this.context, this.key, this.keeper, link, view)
				.leave(this.context.living(id(), rest.released()))
				.thenCompose((result) -> result.outcome().succeeded() ? done(true) : end(link));
		});
	}

}
