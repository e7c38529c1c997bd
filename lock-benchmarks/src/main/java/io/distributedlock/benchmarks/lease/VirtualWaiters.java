package io.distributedlock.benchmarks.lease;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;

import io.distributedlock.benchmarks.jvm.Orders;
import io.distributedlock.benchmarks.peer.HeldLock;
import io.distributedlock.benchmarks.peer.PeerClient;
import org.HdrHistogram.ConcurrentHistogram;
import org.HdrHistogram.Histogram;

/**
 * Very many virtual threads wait for one key that is held, and are then let through one
 * after the other.
 */
final class VirtualWaiters {

	private static final String KEY = "virtual";

	private static final long LONGEST = TimeUnit.SECONDS.toNanos(60);

	private final TaskSpec spec;

	private final PeerClient client;

	private final Orders orders;

	private final AtomicInteger coming = new AtomicInteger();

	private final AtomicInteger inside = new AtomicInteger();

	private final AtomicInteger violations = new AtomicInteger();

	private final ConcurrentLinkedQueue<String> errors = new ConcurrentLinkedQueue<>();

	private final Histogram latencies = new ConcurrentHistogram(1_000, 2 * LONGEST, 3);

	private volatile long releasedAt;

	VirtualWaiters(TaskSpec spec, PeerClient client, Orders orders) {
		this.spec = spec;
		this.client = client;
		this.orders = orders;
	}

	void run() throws Exception {
		ExecutorService executor = virtualThreads();
		round(executor, Math.min(1_000, this.spec.count()));
		this.latencies.reset();
		this.orders.answer(Orders.READY);
		this.orders.await(Orders.GO);
		int left = round(executor, this.spec.count());
		double seconds = (System.nanoTime() - this.releasedAt) / 1e9;
		List<String> failed = List.copyOf(this.errors);
		this.orders.finish(TaskResult.of(this.latencies, seconds, this.violations.get(), failed,
				Map.of("stuck", (double) left, "failed", (double) failed.size())));
	}

	/** Returns how many threads still waited after a minute. */
	private int round(ExecutorService executor, int count) throws Exception {
		CountDownLatch done = new CountDownLatch(count);
		this.coming.set(0);
		HeldLock held = this.client.lock(KEY);
		for (int i = 0; i < count; i++) {
			executor.execute(() -> wait(done));
		}
		while (this.coming.get() < count) {
			LockSupport.parkNanos(1_000_000);
		}
		// The last ones are on their way into the queue.
		LockSupport.parkNanos(TimeUnit.SECONDS.toNanos(2));
		this.releasedAt = System.nanoTime();
		held.unlock();
		done.await(LONGEST, TimeUnit.NANOSECONDS);
		return (int) done.getCount();
	}

	private void wait(CountDownLatch done) {
		try {
			this.coming.incrementAndGet();
			HeldLock held = this.client.lock(KEY);
			this.latencies.recordValue(Math.min(System.nanoTime() - this.releasedAt, 2 * LONGEST));
			if (this.inside.incrementAndGet() != 1) {
				this.violations.incrementAndGet();
			}
			this.inside.decrementAndGet();
			held.unlock();
		}
		catch (Throwable ex) {
			this.errors.add(ex.toString());
		}
		done.countDown();
	}

	// By reflection, since this is compiled for JDK 17.
	private static ExecutorService virtualThreads() throws ReflectiveOperationException {
		Method factory = Executors.class.getMethod("newVirtualThreadPerTaskExecutor");
		try {
			return (ExecutorService) factory.invoke(null);
		}
		catch (InvocationTargetException ex) {
			throw new IllegalStateException("No virtual threads", ex.getCause());
		}
	}

}
