package io.distributedlock.store.zookeeper;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/**
 * Ends a grant of this JVM whose ttl is over.
 */
final class ExpireTask extends KeyTask<Boolean> {

	private final Grant grant;

	ExpireTask(StoreContext context, Grant grant) {
		super(context, grant.lockKey, context.settings().commandTimeout);
		this.grant = grant;
		reply().whenComplete((done, failure) -> {
			if (failure != null && !grant.link.hasEnded() && !context.isClosed()) {
				context.timer()
					.schedule(() -> context.submit(new ExpireTask(context, grant)), 200, TimeUnit.MILLISECONDS);
			}
		});
	}

	@Override
	CompletableFuture<Boolean> work() {
		if (local().grant(this.grant.attempt) != this.grant) {
			return done(true);
		}
		if (!this.grant.expire()) {
			this.context.watchAgain(this.grant);
			return done(true);
		}
		return connection(this.grant.keeper).thenCompose(
				(link) -> new Removal(this.context, this.key, local(), this.grant.attempt, this.grant.keeper, link)
					.run());
	}

}
