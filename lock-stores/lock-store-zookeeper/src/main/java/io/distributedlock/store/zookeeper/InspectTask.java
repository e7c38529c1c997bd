package io.distributedlock.store.zookeeper;

import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;

import io.distributedlock.LockInspector.QueuedInstance;
import io.distributedlock.LockInspector.StoredLock;
import io.distributedlock.LockInspector.StoredShare;
import io.distributedlock.LockKey;

/**
 * Tells what ZooKeeper knows of a key. How much of a ttl is left only its holder knows;
 * what is told is what it is at most.
 */
final class InspectTask extends KeyTask<Optional<StoredLock>> {

	private final SessionKeeper keeper;

	InspectTask(StoreContext context, LockKey key, Duration timeout, SessionKeeper keeper) {
		super(context, key, timeout);
		this.keeper = keeper;
	}

	@Override
	CompletableFuture<Optional<StoredLock>> work() {
		return connection(this.keeper).thenCompose((link) -> link.load(id()).thenCompose((view) -> {
			this.context.seen(id(), view);
			WaitRecord living = this.context.living(id(), view.waitingOrEmpty());
			return link.survivors(living).thenApply((rest) -> describe(view, rest));
		}));
	}

	private static StoredShare show(ShareRecord share) {
		StoredLock.State state = switch (share.state()) {
			case HELD -> StoredLock.State.HELD;
			case RESERVED -> StoredLock.State.RESERVED;
			case COOLING -> StoredLock.State.COOLING;
		};
		String whom = (state != StoredLock.State.COOLING) ? share.instance() : null;
		return new StoredShare(whom, state, share.token(), share.time());
	}

	private Optional<StoredLock> describe(View view, WaitRecord living) {
		WaitRecord waiting = view.waitingOrEmpty();
		List<QueuedInstance> queue = waiting.queue()
			.stream()
			.map((entry) -> new QueuedInstance(entry.instance(), Instant.ofEpochMilli(entry.since()),
					this.context.isAlive(id(), entry)))
			.toList();
		HeldRecord held = view.held();
		String store = this.context.settings().name;
		if (held != null) {
			return Optional.of(new StoredLock(this.key, store, StoredLock.State.HELD, held.instance(), held.first(),
					held.last(), held.ttl(), queue));
		}
		ShareRecord last = living.lastShare();
		if (last != null) {
			return Optional.of(new StoredLock(this.key, store, StoredLock.State.SHARED, null, 0, 0, last.time(), queue,
					living.shares().stream().map(InspectTask::show).toList()));
		}
		if (waiting.withShares(List.of()).isEmpty()) {
			return Optional.empty();
		}
		boolean over = this.context.isOver(id(), waiting);
		StoredLock.State state = over ? StoredLock.State.FREE : switch (waiting.state()) {
			case RESERVED -> StoredLock.State.RESERVED;
			case COOLING -> StoredLock.State.COOLING;
			case NONE -> StoredLock.State.FREE;
		};
		String whom = (!over && waiting.whom() != null) ? waiting.whom().instance() : null;
		return Optional
			.of(new StoredLock(this.key, store, state, whom, 0, 0, over ? Duration.ZERO : waiting.time(), queue));
	}

}
