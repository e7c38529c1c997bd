package io.distributedlock.store.zookeeper;

import java.util.concurrent.CompletableFuture;

import io.distributedlock.LockKey;

/**
 * Takes back what an attempt may have after all, which was not possible when it failed,
 * such as for a lack of permission. It is tried until it succeeds, or until the attempt
 * has something that its caller knows of.
 */
final class TakeBackTask extends KeyTask<Boolean> {

	private final TakeBack what;

	TakeBackTask(StoreContext context, LockKey key, TakeBack what) {
		super(context, key, context.settings().commandTimeout);
		this.what = what;
		reply().whenComplete((done, failure) -> {
			if (failure != null && !context.isClosed()) {
				context.takeBackLater(key, what);
			}
		});
	}

	@Override
	CompletableFuture<Boolean> work() {
		if (this.what.attempts()
			.stream()
			.anyMatch((attempt) -> local().grant(attempt) != null || local().place(attempt) != null)) {
			return done(true);
		}
		return connection(this.what.keeper()).thenCompose((link) -> this.what.work().apply(link));
	}

}
