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
import io.distributedlock.LockInspector.StoredShare;
import io.distributedlock.LockKey;

/**
 * Asks what Redis knows of one lock.
 */
final class InspectOperation extends Operation<Optional<StoredLock>> {

	private static final int MOST_WAITERS = 1000;

	private static final int FIRST_TOKEN = 24;

	private static final int LAST_TOKEN = 40;

	private static final int INSTANCE = 56;

	/** Where the first share is in the answer; how many there are stands before. */
	private static final int FIRST_SHARE = 5;

	/** Where the instance begins in a share, after its state and token. */
	private static final int SHARE_INSTANCE = 17;

	/** Where the instance begins in a place of a single caller. */
	private static final int PLACE_INSTANCE = 23;

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
		keys.add(this.context.layout().shares(id()));
		keys.add(this.context.layout().owners(id()));
	}

	@Override
	void answered(Answer said, long sentAt, long receivedAt) {
		List<byte[]> answer = said.all();
		if (answer.size() <= FIRST_SHARE - 1) {
			fail(this.context.failure(said));
			return;
		}
		String record = Ascii.text(answer.get(1));
		long remaining = Long.parseLong(Ascii.text(answer.get(2)));
		long now = Long.parseLong(Ascii.text(answer.get(3)));
		List<QueuedInstance> queue = new ArrayList<>();
		int shares = FIRST_SHARE + 2 * (int) Double.parseDouble(Ascii.text(answer.get(FIRST_SHARE - 1)));
		for (int i = shares; i + 2 < answer.size(); i += 3) {
			queue.add(waiter(answer, i, now));
		}
		if (record.isEmpty() && queue.isEmpty()) {
			complete(Optional.empty());
		}
		else {
			complete(Optional.of(lock(record, remaining, queue, shares(answer, shares, now))));
		}
	}

	private static List<StoredShare> shares(List<byte[]> answer, int end, long now) {
		List<StoredShare> shares = new ArrayList<>();
		for (int i = FIRST_SHARE; i < end; i += 2) {
			long left = (long) Double.parseDouble(Ascii.text(answer.get(i))) - now / 1000;
			String share = Ascii.text(answer.get(i + 1));
			if (left > 0 && share.length() >= SHARE_INSTANCE) {
				State state = switch (share.charAt(0)) {
					case 'h' -> State.HELD;
					case 'r' -> State.RESERVED;
					default -> State.COOLING;
				};
				String instance = share.substring(SHARE_INSTANCE);
				shares.add(new StoredShare(instance.isEmpty() ? null : instance, state,
						Long.parseLong(share.substring(1, SHARE_INSTANCE)), Duration.ofMillis(left)));
			}
		}
		return shares;
	}

	private StoredLock lock(String record, long remaining, List<QueuedInstance> queue, List<StoredShare> shares) {
		if (record.isEmpty()) {
			return new StoredLock(this.key, this.store, State.FREE, null, 0, 0, Duration.ZERO, queue);
		}
		State state = switch (record.charAt(1)) {
			case 'h', 'w' -> State.HELD;
			case 'r' -> State.RESERVED;
			case 's' -> State.SHARED;
			default -> State.COOLING;
		};
		if (state == State.SHARED) {
			return new StoredLock(this.key, this.store, state, null, 0, 0, AcquireOperation.freeIn(remaining), queue,
					shares);
		}
		String instance = record.substring(INSTANCE);
		return new StoredLock(this.key, this.store, state, instance.isEmpty() ? null : instance,
				Long.parseLong(record.substring(FIRST_TOKEN, LAST_TOKEN)),
				Long.parseLong(record.substring(LAST_TOKEN, INSTANCE)), AcquireOperation.freeIn(remaining), queue);
	}

	private static String instance(String member) {
		return switch (member.charAt(0)) {
			case '*' -> member.substring(1);
			case '=', '+' -> member.substring(Math.min(member.length(), PLACE_INSTANCE));
			default -> member;
		};
	}

	private static QueuedInstance waiter(List<byte[]> answer, int at, long now) {
		long arrival = (long) Double.parseDouble(Ascii.text(answer.get(at + 1)));
		String entry = Ascii.text(answer.get(at + 2));
		// A permit's entry says how many there are.
		int end = (entry.indexOf(',') > 0) ? entry.indexOf(',') : entry.length();
		boolean alive = entry.length() > FIRST_TOKEN && entry.charAt(0) == '1'
				&& Long.parseLong(entry.substring(FIRST_TOKEN, end)) > now / 1000;
		return new QueuedInstance(instance(Ascii.text(answer.get(at))), Instant.EPOCH.plus(arrival, ChronoUnit.MICROS),
				alive);
	}

}
