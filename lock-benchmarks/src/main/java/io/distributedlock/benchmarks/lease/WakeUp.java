package io.distributedlock.benchmarks.lease;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

import io.distributedlock.benchmarks.jvm.Orders;
import io.distributedlock.benchmarks.jvm.SharedLongs;
import io.distributedlock.benchmarks.peer.HeldLock;
import io.distributedlock.benchmarks.peer.PeerClient;
import org.HdrHistogram.Histogram;

/**
 * One JVM holds the key, another one waits for it; measured is the time from the begin of
 * {@code unlock()} in the one to the return of {@code lock()} in the other. Between two
 * of these both JVMs are idle.
 */
final class WakeUp {

	private static final String KEY = "wake";

	/** The last turn; there is no further one. */
	private static final long LAST = Long.MAX_VALUE;

	// Places in the shared memory: the turn in which the holder has the key, the waiter
	// is about to ask for it, the waiter has given it back, the holder releases it; and
	// when the release began.
	private static final int HELD = 0;

	private static final int COMING = 1;

	private static final int DONE = 2;

	private static final int RELEASED = 3;

	private static final int RELEASED_AT = 4;

	private static final int SHARED = 5;

	// Between two turns of the warm-up, of which there must be many: code that runs forty
	// times a second is not compiled before the run is over.
	private static final long WARM_UP_HOLD = TimeUnit.MICROSECONDS.toNanos(300);

	// Long enough for every peer to have subscribed and gone to sleep.
	private static final long MIN_HOLD = TimeUnit.MILLISECONDS.toNanos(15);

	private static final long MAX_HOLD = TimeUnit.MILLISECONDS.toNanos(25);

	private final TaskSpec spec;

	private final PeerClient client;

	private final Orders orders;

	private final SharedLongs shared;

	WakeUp(TaskSpec spec, PeerClient client, Orders orders) throws IOException {
		this.spec = spec;
		this.client = client;
		this.orders = orders;
		this.shared = new SharedLongs(Path.of(spec.sharedMemory()), SHARED);
	}

	void hold() throws Exception {
		SplittableRandom random = new SplittableRandom(42);
		this.orders.answer(Orders.READY);
		this.orders.await(Orders.GO);
		long measured = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(this.spec.warmUpMillis());
		long end = measured + TimeUnit.MILLISECONDS.toNanos(this.spec.measuredMillis());
		cycle("holder");
		for (long turn = 1; System.nanoTime() < end; turn++) {
			HeldLock held = this.client.lock(KEY);
			this.shared.set(HELD, turn);
			this.shared.awaitAtLeast(COMING, turn);
			boolean warm = System.nanoTime() >= measured;
			LockSupport.parkNanos(warm ? random.nextLong(MIN_HOLD, MAX_HOLD) : WARM_UP_HOLD);
			this.shared.set(RELEASED_AT, System.nanoTime());
			this.shared.set(RELEASED, turn);
			held.unlock();
			this.shared.awaitAtLeast(DONE, turn);
		}
		this.shared.set(HELD, LAST);
	}

	/** Locks a key that nobody else wants, for the first third of the warm-up. */
	private void cycle(String key) throws Exception {
		long end = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(this.spec.warmUpMillis()) / 3;
		while (System.nanoTime() < end) {
			this.client.lock(key).unlock();
		}
	}

	void waitForRelease() throws Exception {
		Histogram histogram = new Histogram(1, TimeUnit.MINUTES.toNanos(1), 3);
		this.orders.answer(Orders.READY);
		this.orders.await(Orders.GO);
		long measured = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(this.spec.warmUpMillis());
		cycle("waiter");
		long violations = 0;
		long turn = 1;
		while (true) {
			this.shared.awaitAtLeast(HELD, turn);
			if (this.shared.get(HELD) == LAST) {
				break;
			}
			this.shared.set(COMING, turn);
			HeldLock held = this.client.lock(KEY);
			long woken = System.nanoTime();
			long took = woken - this.shared.get(RELEASED_AT);
			if (this.shared.get(RELEASED) < turn) {
				violations++;
			}
			held.unlock();
			if (woken >= measured) {
				histogram.recordValue(Math.max(took, 1));
			}
			this.shared.set(DONE, turn++);
		}
		this.orders.finish(TaskResult.of(histogram, this.spec.measuredMillis() / 1e3, violations, List.of(), Map.of()));
	}

}
