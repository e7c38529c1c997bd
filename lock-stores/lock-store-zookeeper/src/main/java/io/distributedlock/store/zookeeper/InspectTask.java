package io.distributedlock.store.zookeeper;

import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;

import io.distributedlock.LockInspector.QueuedInstance;
import io.distributedlock.LockInspector.StoredLock;
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
		return connection(this.keeper).thenCompose((link) -> link.load(id())).thenApply(this::describe);
	}

	private Optional<StoredLock> describe(View view) {
		this.context.seen(id(), view);
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
		if (waiting.isEmpty()) {
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
