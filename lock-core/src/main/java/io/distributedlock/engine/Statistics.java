package io.distributedlock.engine;

import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.LongAdder;

import io.distributedlock.DeadlockDetectedException;
import io.distributedlock.Lease;
import io.distributedlock.LockInspector.LockStatistics;
import io.distributedlock.LockKey;
import io.distributedlock.LockListener;
import io.distributedlock.LockLostException;
import io.distributedlock.LockNotAcquiredException;
import io.distributedlock.LockStoreException;

/**
 * Counts what happens at each lock name. Names are meant to be few; should somebody put
 * keys into names, what comes after the first thousand is counted together.
 */
final class Statistics implements LockListener {

	private static final int MAX_NAMES = 1000;

	private static final String OTHERS = "(others)";

	private final ConcurrentHashMap<String, Counters> names = new ConcurrentHashMap<>();

	private Counters of(LockKey key) {
		Counters counters = this.names.get(key.name());
		if (counters != null) {
			return counters;
		}
		String name = (this.names.size() < MAX_NAMES) ? key.name() : OTHERS;
		return this.names.computeIfAbsent(name, (absent) -> new Counters());
	}

	@Override
	public void onAcquired(Lease lease, Duration waited) {
		Counters counters = of(lease.key());
		counters.acquired.increment();
		counters.wait.add(waited.toNanos());
	}

	@Override
	public void onRefused(LockKey key, String store, LockNotAcquiredException exception, Duration waited) {
		Counters counters = of(key);
		counters.refused.increment();
		if (exception.reason() == LockNotAcquiredException.Reason.PREDICTED_TIMEOUT) {
			counters.shed.increment();
		}
	}

	@Override
	public void onDeadlock(LockKey key, String store, DeadlockDetectedException exception, Duration waited) {
		of(key).refused.increment();
	}

	@Override
	public void onFailed(LockKey key, String store, LockStoreException exception, Duration waited) {
		of(key).failed.increment();
	}

	@Override
	public void onReleased(Lease lease, Duration held) {
		of(lease.key()).hold.add(held.toNanos());
	}

	@Override
	public void onLost(Lease lease, LockLostException exception, Duration held) {
		Counters counters = of(lease.key());
		counters.lost.increment();
		counters.hold.add(held.toNanos());
	}

	@Override
	public void onLocalHandoff(LockKey key, String store) {
		of(key).handoffs.increment();
	}

	List<LockStatistics> snapshot() {
		return this.names.entrySet()
			.stream()
			.map((entry) -> entry.getValue().snapshot(entry.getKey()))
			.sorted(Comparator.comparing(LockStatistics::name))
			.toList();
	}

	private static final class Counters {

		private final LongAdder acquired = new LongAdder();

		private final LongAdder refused = new LongAdder();

		private final LongAdder shed = new LongAdder();

		private final LongAdder failed = new LongAdder();

		private final LongAdder lost = new LongAdder();

		private final LongAdder handoffs = new LongAdder();

		private final LongAdder wait = new LongAdder();

		private final LongAdder hold = new LongAdder();

		LockStatistics snapshot(String name) {
			return new LockStatistics(name, this.acquired.sum(), this.refused.sum(), this.shed.sum(), this.failed.sum(),
					this.lost.sum(), this.handoffs.sum(), Duration.ofNanos(this.wait.sum()),
					Duration.ofNanos(this.hold.sum()));
		}

	}

}
