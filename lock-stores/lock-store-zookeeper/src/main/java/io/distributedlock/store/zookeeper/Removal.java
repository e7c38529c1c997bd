package io.distributedlock.store.zookeeper;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;

import org.apache.zookeeper.Op;

import io.distributedlock.LockKey;
import io.distributedlock.spi.AttemptId;

/**
 * Takes away whatever an attempt of this JVM has: its grant or its reservation, which go
 * to the next waiter, and its place in the queue.
 */
final class Removal {

	private static final int ROUNDS = 20;

	private final StoreContext context;

	private final LockKey key;

	private final LocalKey local;

	private final AttemptId attempt;

	private final SessionKeeper keeper;

	private final Link link;

	private int rounds;

	Removal(StoreContext context, LockKey key, LocalKey local, AttemptId attempt, SessionKeeper keeper, Link link) {
		this.context = context;
		this.key = key;
		this.local = local;
		this.attempt = attempt;
		this.keeper = keeper;
		this.link = link;
	}

	CompletableFuture<Boolean> run() {
		return this.link.load(this.local.id()).thenCompose(this::decide);
	}

	private CompletableFuture<Boolean> decide(View view) {
		this.context.seen(this.local.id(), view);
		boolean held = view.held() != null && view.held().attempt().equals(this.attempt);
		WaitRecord waiting = view.waitingOrEmpty();
		boolean reserved = waiting.isReservedFor(this.attempt);
		boolean shared = waiting.share(this.attempt) != null;
		boolean queued = waiting.entry(this.context.settings().instanceId, this.attempt) != null;
		if (view.fence() == null || !(held || reserved || shared || queued)) {
			forget();
			return CompletableFuture.completedFuture(true);
		}
		WaitRecord rest = waiting.without(this.context.settings().instanceId, this.attempt).withoutShare(this.attempt);
		// Those behind a place that is given up may be next.
		boolean free = view.held() == null && waiting.state() == WaitRecord.State.NONE;
		List<Op> last = new ArrayList<>();
		if (held) {
			last.addAll(this.context.delete(this.local.id(), view.held(), this.link));
		}
		Handover handover = new Handover(this.context, this.key, this.keeper, this.link, view, List.of(), last);
		CompletableFuture<Handover.Result> done = (held || reserved || free)
				? handover.run(this.context.living(this.local.id(), rest), null) : handover.leave(rest);
		return done.thenCompose((result) -> {
			if (!result.outcome().succeeded()) {
				// Others change the key, too. It is not tried forever without a pause.
				return (++this.rounds < ROUNDS) ? run()
						: CompletableFuture.failedFuture(this.context.failures().of(result.outcome().code()));
			}
			forget();
			return CompletableFuture.completedFuture(true);
		});
	}

	private void forget() {
		Grant grant = this.local.grant(this.attempt);
		if (grant != null) {
			this.context.ended(grant);
		}
		this.local.removePlace(this.attempt);
	}

	@Override
	public String toString() {
		return "Removal of " + this.attempt + " through " + this.keeper;
	}

}
