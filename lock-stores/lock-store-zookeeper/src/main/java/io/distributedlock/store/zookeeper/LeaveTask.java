package io.distributedlock.store.zookeeper;

import java.util.concurrent.CompletableFuture;

import io.distributedlock.LockKey;

/**
 * Takes this JVM's place out of the queue, since it has not asked again. If that fails,
 * others do it who see the place unchanged.
 */
final class LeaveTask extends KeyTask<Boolean> {

	private final LocalKey.Place place;

	LeaveTask(StoreContext context, LockKey key, LocalKey.Place place) {
		super(context, key, context.settings().commandTimeout);
		this.place = place;
	}

	@Override
	CompletableFuture<Boolean> work() {
		if (local().place(this.place.attempt()) != this.place) {
			return done(true);
		}
		if (!this.place.kind().equals(Kind.ALONE)) {
			// A release may have passed the key to it, and had no answer.
			return connection(this.place.keeper()).thenCompose((link) -> new Removal(this.context, this.key, local(),
					this.place.attempt(), this.place.keeper(), link)
				.run());
		}
		local().place = null;
		return connection(this.place.keeper()).thenCompose(this::leave);
	}

	private CompletableFuture<Boolean> leave(Link link) {
		return link.load(id()).thenCompose((view) -> {
			this.context.seen(id(), view);
			WaitRecord.Entry own = view.waitingOrEmpty().entry(this.context.settings().instanceId);
			if (view.fence() == null || own == null || !own.attempt().equals(this.place.attempt())) {
				return done(true);
			}
			return new Handover(this.context, this.key, this.place.keeper(), link, view)
				.leave(view.waitingOrEmpty().without(own.instance()))
				.thenCompose((result) -> result.outcome().succeeded() ? done(true) : leave(link));
		});
	}

}
