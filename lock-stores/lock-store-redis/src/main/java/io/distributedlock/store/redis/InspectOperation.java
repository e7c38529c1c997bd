package io.distributedlock.store.redis;

import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

import io.distributedlock.LockInspector.QueuedInstance;
import io.distributedlock.LockInspector.StoredLock;
import io.distributedlock.LockInspector.StoredLock.State;
import io.distributedlock.LockKey;

/**
 * Asks what Redis knows of one lock.
 */
final class InspectOperation extends Operation<Optional<StoredLock>> {

	private static final int MOST_WAITERS = 1000;

	private static final int FIRST_TOKEN = 24;

	private static final int LAST_TOKEN = 40;

	private static final int INSTANCE = 56;

	private final StoreContext context;

	private final LockKey key;

	private final String store;

	InspectOperation(StoreContext context, LockKey key, String store, long deadline) {
		super(LockScript.INSPECT, key, context.layout().bucket(key.id()), deadline);
		this.context = context;
		this.key = key;
		this.store = store;
	}

	@Override
	void header(List<? extends Operation<?>> all, List<byte[]> keys, List<byte[]> arguments) {
		arguments.add(Ascii.bytes(MOST_WAITERS));
	}

	@Override
	void body(List<byte[]> keys, List<byte[]> arguments) {
		this.context.addKeys(id(), keys);
	}

	@Override
	void answered(Answer said, long sentAt, long receivedAt) {
		List<byte[]> answer = said.all();
		if (answer.size() < 4) {
			fail(this.context.failure(said));
			return;
		}
		String record = Ascii.text(answer.get(1));
		long remaining = Long.parseLong(Ascii.text(answer.get(2)));
		long now = Long.parseLong(Ascii.text(answer.get(3)));
		List<QueuedInstance> queue = new ArrayList<>();
		for (int i = 4; i + 2 < answer.size(); i += 3) {
			queue.add(waiter(answer, i, now));
		}
		if (record.isEmpty() && queue.isEmpty()) {
			complete(Optional.empty());
		}
		else {
			complete(Optional.of(lock(record, remaining, queue)));
		}
	}

	private StoredLock lock(String record, long remaining, List<QueuedInstance> queue) {
		if (record.isEmpty()) {
			return new StoredLock(this.key, this.store, State.FREE, null, 0, 0, Duration.ZERO, queue);
		}
		State state = switch (record.charAt(1)) {
			case 'h', 'w' -> State.HELD;
			case 'r' -> State.RESERVED;
			default -> State.COOLING;
		};
		String instance = record.substring(INSTANCE);
		return new StoredLock(this.key, this.store, state, instance.isEmpty() ? null : instance,
				Long.parseLong(record.substring(FIRST_TOKEN, LAST_TOKEN)),
				Long.parseLong(record.substring(LAST_TOKEN, INSTANCE)), AcquireOperation.freeIn(remaining), queue);
	}

	private static QueuedInstance waiter(List<byte[]> answer, int at, long now) {
		long arrival = (long) Double.parseDouble(Ascii.text(answer.get(at + 1)));
		String entry = Ascii.text(answer.get(at + 2));
		boolean alive = entry.length() > FIRST_TOKEN && entry.charAt(0) == '1'
				&& Long.parseLong(entry.substring(FIRST_TOKEN)) > now / 1000;
		return new QueuedInstance(Ascii.text(answer.get(at)), Instant.EPOCH.plus(arrival, ChronoUnit.MICROS), alive);
	}

}
