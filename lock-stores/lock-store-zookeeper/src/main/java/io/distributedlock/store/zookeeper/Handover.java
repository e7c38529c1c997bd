package io.distributedlock.store.zookeeper;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;

import org.apache.zookeeper.KeeperException.Code;
import org.apache.zookeeper.Op;
import org.jspecify.annotations.Nullable;

import io.distributedlock.LockKey;
import io.distributedlock.store.zookeeper.Link.Outcome;
import io.distributedlock.store.zookeeper.WaitRecord.Entry;
import io.distributedlock.store.zookeeper.WaitRecord.State;

/**
 * Ends what keeps a key taken, and keeps it for the first waiter that lives: one
 * transaction, which also writes to that waiter's inbox. A waiter without an inbox is
 * dead, and the next one is tried.
 */
final class Handover {

	private final StoreContext context;

	private final LockKey key;

	private final String keyId;

	private final SessionKeeper keeper;

	private final Link link;

	private final View view;

	private final List<Op> first;

	private final List<Op> last;

	/**
	 * Prepares a handover.
	 * @param view what it is based on; its bucket must be there
	 * @param first operations to do before the others
	 * @param last operations to do after the others
	 */
	Handover(StoreContext context, LockKey key, SessionKeeper keeper, Link link, View view, List<Op> first,
			List<Op> last) {
		this.context = context;
		this.key = key;
		this.keyId = key.id();
		this.keeper = keeper;
		this.link = link;
		this.view = view;
		this.first = first;
		this.last = last;
	}

	Handover(StoreContext context, LockKey key, SessionKeeper keeper, Link link, View view) {
		this(context, key, keeper, link, view, List.of(), List.of());
	}

	/**
	 * Hands over.
	 * @param queue who waits; the dead are skipped
	 * @param newcomer who is to wait at the end, if somebody else is next
	 * @return what came of it
	 */
	CompletableFuture<Result> run(WaitRecord queue, @Nullable Entry newcomer) {
		if (queue.queue().isEmpty()) {
			return commit(queue.released(), null);
		}
		Entry next = queue.queue().get(0);
		WaitRecord reserved = queue.reserved(next, this.context.settings().reservation);
		WaitRecord complete = (newcomer != null) ? reserved.with(newcomer) : reserved;
		return commit(complete, next).thenCompose((result) -> {
			if (result.outcome().code() == Code.NONODE
					&& result.outcome().failed() == result.outcome().results().size() - 1) {
				return run(queue.without(next.instance()), newcomer);
			}
			return CompletableFuture.completedFuture(result);
		});
	}

	/** Changes the queue and nothing else. */
	CompletableFuture<Result> leave(WaitRecord record) {
		return commit(record, null);
	}

	private CompletableFuture<Result> commit(WaitRecord record, @Nullable Entry next) {
		List<Op> operations = new ArrayList<>(this.first);
		operations.add(this.context.fence(this.keyId, this.view));
		operations.addAll(this.context.write(this.keyId, this.view, record));
		operations.addAll(this.last);
		if (next != null) {
			operations.add(Op.setData(this.context.layout().inbox(next.session()),
					Inbox.reserved(this.keyId, next.attempt()), -1));
		}
		return this.link.commit(operations).thenApply((outcome) -> {
			if (outcome.succeeded()) {
				this.context.written(this.keyId, this.view, record);
				if (record.state() != State.NONE && !record.stamp().equals(this.view.waitingOrEmpty().stamp())) {
					this.context.stateMade(this.keyId, this.key, this.keeper, record);
				}
			}
			return new Result(outcome, next);
		});
	}

	/**
	 * What came of it.
	 *
	 * @param outcome whether it was done
	 * @param next for whom it is kept now, or null
	 */
	record Result(Outcome outcome, @Nullable Entry next) {
	}

}
