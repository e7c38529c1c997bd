package io.distributedlock.store.etcd;

import java.time.Duration;
import java.util.List;
import java.util.Optional;

import io.distributedlock.LockInspector.QueuedInstance;
import io.distributedlock.LockInspector.StoredLock;
import io.distributedlock.LockInspector.StoredLock.State;
import io.distributedlock.LockInspector.StoredShare;
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
		long askedAt = System.nanoTime();
		read((answer) -> succeed(describe(WholeLock.of(answer, askedAt))),
				WholeLock.questions(this.context.layout(), this.key));
	}

	private Optional<StoredLock> describe(WholeLock lock) {
		LockView view = lock.lock();
		LockRecord record = view.record();
		List<QueuedInstance> queue = view.queue()
			.stream()
			.map((entry) -> new QueuedInstance(entry.instance(), entry.since(), true))
			.toList();
		if (view.isShared() && !lock.shares().isEmpty()) {
			List<StoredShare> shares = lock.shares().stream().map(this::describe).toList();
			Duration last = shares.stream().map(StoredShare::remaining).max(Duration::compareTo).orElseThrow();
			return Optional.of(new StoredLock(this.key, this.store, State.SHARED, null, 0, 0, last, queue, shares));
		}
		if (record == null || view.isShared()) {
			return queue.isEmpty() ? Optional.empty()
					: Optional.of(new StoredLock(this.key, this.store, State.FREE, null, 0, 0, Duration.ZERO, queue));
		}
		boolean held = record.state() == LockRecord.State.HELD;
		return Optional.of(new StoredLock(this.key, this.store, State.valueOf(record.state().name()),
				record.instance().isEmpty() ? null : record.instance(), held ? record.firstToken() : 0,
				held ? record.lastToken() : 0, remaining(view, record), queue));
	}

	private StoredShare describe(StoredPart share) {
		Duration left = share.time();
		Stake own = this.context.stakes().find(share.attempt());
		if (!share.isHeld()) {
			String id = Draft.shareId(this.key, share.attempt());
			left = Duration.ofNanos(this.context.reservations().left(id, share.revision(), share.time()));
		}
		else if (own != null && own.isHeld(System.nanoTime())) {
			left = Duration.ofNanos(own.endsAt() - System.nanoTime());
		}
		boolean kept = share.state() == LockRecord.State.COOLING;
		return new StoredShare(kept ? null : share.instance(), State.valueOf(share.state().name()),
				share.isHeld() ? share.token(0) : 0, left.isNegative() ? Duration.ZERO : left);
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
