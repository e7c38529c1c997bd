package io.distributedlock.store.etcd;

import java.time.Duration;
import java.util.List;
import java.util.Optional;

import io.etcd.jetcd.op.Op;
import io.etcd.jetcd.options.GetOption;

import io.distributedlock.LockInspector.QueuedInstance;
import io.distributedlock.LockInspector.StoredLock;
import io.distributedlock.LockInspector.StoredLock.State;
import io.distributedlock.LockKey;
import io.distributedlock.spi.AttemptId;

/**
 * Looks at one lock. etcd has no clock that one could ask how much of a ttl is left: for
 * a grant of this JVM that is known, for others it is the most it can be.
 */
final class InspectOperation extends Operation<Optional<StoredLock>> {

	private final String store;

	InspectOperation(Context context, LockKey key, String store, Duration timeout) {
		super(context, key, timeout);
		this.store = store;
	}

	@Override
	void step() {
		read((answer) -> succeed(
				describe(LockView.of(answer.getGetResponses().get(0), answer.getGetResponses().get(1)))),
				Op.get(record(), GetOption.DEFAULT), Request.readQueue(queue(), 0));
	}

	private Optional<StoredLock> describe(LockView view) {
		LockRecord record = view.record();
		List<QueuedInstance> queue = view.queue()
			.stream()
			.map((entry) -> new QueuedInstance(entry.instance(), entry.since(), true))
			.toList();
		if (record == null) {
			return queue.isEmpty() ? Optional.empty()
					: Optional.of(new StoredLock(this.key, this.store, State.FREE, null, 0, 0, Duration.ZERO, queue));
		}
		boolean held = record.state() == LockRecord.State.HELD;
		return Optional.of(new StoredLock(this.key, this.store, State.valueOf(record.state().name()),
				record.instance().isEmpty() ? null : record.instance(), held ? record.firstToken() : 0,
				held ? record.lastToken() : 0, remaining(view, record), queue));
	}

	private Duration remaining(LockView view, LockRecord record) {
		long most = record.time().toNanos();
		boolean held = record.state() == LockRecord.State.HELD;
		AttemptId attempt = record.attempt();
		Stake own = (attempt != null) ? this.context.stakes().find(attempt) : null;
		if (!held) {
			most = Math.min(most, this.context.reservations().left(this.key.id(), view.revision(), record.time()));
		}
		else if (own != null && own.isHeld(System.nanoTime())) {
			most = own.endsAt() - System.nanoTime();
		}
		return Duration.ofNanos(Math.max(0, most));
	}

}
