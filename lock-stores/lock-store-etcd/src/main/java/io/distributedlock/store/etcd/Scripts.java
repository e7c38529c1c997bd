package io.distributedlock.store.etcd;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Predicate;

import io.distributedlock.LockKey;
import io.distributedlock.spi.AttemptId;
import io.distributedlock.store.etcd.Script.Decision;

/**
 * Lets the {@link Script}s of this JVM for one lock take turns: else each would make the
 * transaction of the next one fail. And those scripts that belong to no kind of lock.
 */
final class Scripts {

	private static final Duration TIMEOUT = Duration.ofSeconds(1);

	private final ReentrantLock mutex = new ReentrantLock();

	private final Map<String, Line> lines = new HashMap<>();

	/**
	 * Waits for a turn, which ends with the script.
	 */
	void enter(Script<?> script) {
		boolean first;
		this.mutex.lock();
		try {
			Line line = this.lines.get(script.key.id());
			first = line == null;
			if (line == null) {
				this.lines.put(script.key.id(), new Line(script));
			}
			else {
				line.waiting.add(script);
			}
		}
		finally {
			this.mutex.unlock();
		}
		script.whenComplete((result, failure) -> leave(script));
		if (first) {
			script.turn(null);
		}
	}

	/**
	 * Ends a turn, or stops waiting for one.
	 */
	void leave(Script<?> script) {
		Script<?> next = null;
		this.mutex.lock();
		try {
			Line line = this.lines.get(script.key.id());
			if (line == null) {
				return;
			}
			if (line.current != script) {
				line.waiting.remove(script);
				return;
			}
			next = line.waiting.poll();
			if (next != null) {
				line.current = next;
			}
			else {
				this.lines.remove(script.key.id());
			}
		}
		finally {
			this.mutex.unlock();
		}
		if (next != null) {
			next.turn(script.latest());
		}
	}

	/**
	 * Passes a lock on if anything of it has expired, and deletes what no longer counts.
	 */
	static Script<Boolean> advance(Context context, LockKey key) {
		return new Script<>(context, key, TIMEOUT, (draft) -> {
			draft.cleans = true;
			boolean served = draft.serve((place) -> false);
			return (done) -> served;
		});
	}

	/**
	 * Passes a lock on after something was taken away.
	 * @param wanted which state of the lock is to end
	 */
	static Script<Boolean> remove(Context context, LockKey key, Duration timeout, Predicate<LockView> wanted) {
		return new Script<>(context, key, timeout, (draft) -> {
			if (draft.base.lock().record() == null || !wanted.test(draft.base.lock())) {
				return Decision.quiet(false);
			}
			draft.free();
			draft.serve((place) -> false);
			return (done) -> true;
		});
	}

	/**
	 * Ends by force what has a token, and tells its holder.
	 */
	static Script<Boolean> force(Context context, LockKey key, Duration timeout, long token) {
		return new Script<>(context, key, timeout, (draft) -> {
			LockRecord record = draft.alone;
			StoredPart share = draft.shares.values()
				.stream()
				.filter((part) -> part.isHeld() && part.token(0) == token)
				.findFirst()
				.orElse(null);
			if (record != null && record.hasToken(token)) {
				draft.loser = record.attempt();
				draft.losersInstance = record.instance();
				draft.free();
			}
			else if (share != null) {
				draft.loser = share.attempt();
				draft.shares.remove(share.attempt());
			}
			else {
				return Decision.quiet(false);
			}
			draft.serve((place) -> false);
			return (done) -> true;
		});
	}

	/**
	 * Takes away whatever an attempt has, but for what it has left to nobody for a while.
	 */
	static Script<Boolean> abandon(Context context, LockKey key, AttemptId attempt, Duration timeout) {
		return new Script<>(context, key, timeout, (draft) -> {
			if (draft.isHeldBy(attempt) || draft.isReservedFor(attempt)) {
				draft.free();
			}
			StoredPart share = draft.shares.get(attempt);
			if (share != null && share.state() != LockRecord.State.COOLING) {
				draft.shares.remove(attempt);
			}
			draft.leaveQueue((place) -> place.attempt().equals(attempt));
			draft.cleans = true;
			draft.serve((place) -> false);
			return (done) -> true;
		});
	}

	/**
	 * The script whose turn it is, and those that wait for theirs.
	 */
	private static final class Line {

		private Script<?> current;

		private final Deque<Script<?>> waiting = new ArrayDeque<>(2);

		Line(Script<?> current) {
			this.current = current;
		}

	}

}
