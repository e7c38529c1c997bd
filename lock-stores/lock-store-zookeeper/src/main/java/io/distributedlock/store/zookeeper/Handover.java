package io.distributedlock.store.zookeeper;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;

import org.apache.zookeeper.KeeperException.Code;
import org.apache.zookeeper.Op;
import org.apache.zookeeper.data.Stat;
import org.jspecify.annotations.Nullable;

import io.distributedlock.LockKey;
import io.distributedlock.spi.AttemptId;
import io.distributedlock.store.zookeeper.Link.Outcome;
import io.distributedlock.store.zookeeper.WaitRecord.Entry;
import io.distributedlock.store.zookeeper.WaitRecord.Served;

/**
 * Ends what keeps a key taken, and keeps it for the first waiter that lives, or for all
 * at the front of the queue that can share it: one transaction, which also writes to
 * their inboxes. A waiter without an inbox is dead, and the next one is tried.
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
	 * Ends what keeps the key, and hands over.
	 * @param record who waits, and who shares the key; the dead are skipped
	 * @param newcomer who is to wait at the end, if somebody else is next
	 * @return what came of it
	 */
	CompletableFuture<Result> run(WaitRecord record, @Nullable Entry newcomer) {
		Served served = record.released().serve(this.context.settings().reservation);
		WaitRecord complete = (newcomer != null && !served.whom().isEmpty()) ? served.record().with(newcomer)
				: served.record();
		return commit(complete, served.whom()).thenCompose((result) -> (result.dead() != null)
				? run(record.withoutSession(result.dead()), newcomer) : CompletableFuture.completedFuture(result));
	}

	/** Changes the queue and nothing else. */
	CompletableFuture<Result> leave(WaitRecord record) {
		return commit(record, List.of());
	}

	/**
	 * Writes what it is to be.
	 * @param record the new record
	 * @param served who is to be told that it is their turn
	 * @return what came of it
	 */
	CompletableFuture<Result> commit(WaitRecord record, List<Entry> served) {
		List<Op> operations = new ArrayList<>(this.first);
		operations.add(this.context.fence(this.keyId, this.view));
		operations.addAll(this.context.write(this.keyId, this.view, record));
		operations.addAll(this.last);
		int told = operations.size();
		Map<String, List<AttemptId>> receivers = new LinkedHashMap<>();
		served.forEach((next) -> receivers.computeIfAbsent(next.session(), (session) -> new ArrayList<>())
			.add(next.attempt()));
		receivers.forEach((session, attempts) -> operations
			.add(Op.setData(this.context.layout().inbox(session), Inbox.reserved(this.keyId, attempts), -1)));
		return this.link.commit(operations).thenApply((outcome) -> {
			if (outcome.succeeded()) {
				this.context.written(this.keyId, this.view, record);
				this.context.statesMade(this.key, this.keeper, this.view.waitingOrEmpty(), record);
			}
			boolean deaf = outcome.code() == Code.NONODE && outcome.failed() >= told;
			return new Result(outcome, served,
					deaf ? List.copyOf(receivers.keySet()).get(outcome.failed() - told) : null,
					outcome.succeeded() ? after(record, outcome) : null);
		});
	}

	/**
	 * Returns what a reader would read now, or null if the key has no record any more.
	 * The operation that follows the check of the bucket has written the record, or
	 * raised the bucket's version before the record was made.
	 */
	private @Nullable View after(WaitRecord record, Outcome outcome) {
		View.Fence before = this.view.fence();
		if (record.isEmpty() || before == null) {
			return null;
		}
		boolean made = this.view.waiting() == null;
		Stat stat = outcome.stat(this.first.size() + 1);
		return new View(new View.Fence(before.version() + (made ? 1 : 0), before.keys()), record.asRead(stat),
				made ? 0 : stat.getVersion(), null);
	}

	/**
	 * What came of it.
	 *
	 * @param outcome whether it was done
	 * @param served for whom it is kept now
	 * @param dead the session of one of them that has ended, so that it was not done, or
	 * null
	 * @param after what is there now, or null if it is not known or nothing
	 */
	record Result(Outcome outcome, List<Entry> served, @Nullable String dead, @Nullable View after) {

		boolean isReserved() {
			return !this.served.isEmpty();
		}

	}

}
