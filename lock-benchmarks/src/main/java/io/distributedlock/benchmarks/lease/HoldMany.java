package io.distributedlock.benchmarks.lease;

import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;

import com.sun.management.OperatingSystemMXBean;
import io.distributedlock.benchmarks.jvm.Orders;
import io.distributedlock.benchmarks.peer.PeerClient;

/**
 * Takes many locks and does nothing but hold them. Threads own their locks, so those that
 * took them stay until the end.
 */
final class HoldMany {

	private static final int THREADS = 16;

	// Classes are loaded and code is compiled before the heap is measured.
	private static final int WARM_UP = 2_000;

	private final TaskSpec spec;

	private final PeerClient client;

	private final Orders orders;

	private final CyclicBarrier barrier = new CyclicBarrier(THREADS + 1);

	private final AtomicInteger lost = new AtomicInteger();

	private final ConcurrentLinkedQueue<String> errors = new ConcurrentLinkedQueue<>();

	HoldMany(TaskSpec spec, PeerClient client, Orders orders) {
		this.spec = spec;
		this.client = client;
		this.orders = orders;
	}

	void run() throws Exception {
		OperatingSystemMXBean system = ManagementFactory.getPlatformMXBean(OperatingSystemMXBean.class);
		for (int i = 0; i < THREADS; i++) {
			int first = i;
			Thread thread = new Thread(() -> hold(first), "holder-" + i);
			thread.setDaemon(true);
			thread.start();
		}
		this.barrier.await();
		long before = usedHeap();
		this.orders.answer(Orders.READY);
		this.orders.await(Orders.GO);
		long start = System.nanoTime();
		this.barrier.await();
		this.barrier.await();
		double taking = (System.nanoTime() - start) / 1e9;
		// One renewal of all of them, so that what renewing needs is there.
		LockSupport.parkNanos(this.spec.ttlMillis() * 1_000_000 / 3);
		long after = usedHeap();
		this.orders.answer(Orders.HELD);
		this.orders.await(Orders.MEASURE);
		long startCpu = system.getProcessCpuTime();
		start = System.nanoTime();
		this.orders.await(Orders.STOP);
		long cpu = system.getProcessCpuTime() - startCpu;
		double seconds = (System.nanoTime() - start) / 1e9;
		this.barrier.await();
		this.barrier.await();
		this.orders.finish(new TaskResult(this.spec.count(), seconds, 0, 0, 0, 0, List.copyOf(this.errors),
				Map.of("takingSeconds", taking, "clientCpuPercent", 100 * cpu / 1e9 / seconds, "heapBytesPerLease",
						(double) (after - before) / this.spec.count(), "lost", (double) this.lost.get())));
	}

	private void hold(int first) {
		try {
			for (int i = first; i < WARM_UP; i += THREADS) {
				this.client.lock("warm-" + i).unlock();
			}
			this.barrier.await();
			this.barrier.await();
			List<CheckedLock> locks = new ArrayList<>();
			for (int i = first; i < this.spec.count(); i += THREADS) {
				take("held-" + i, locks);
			}
			this.barrier.await();
			this.barrier.await();
			locks.forEach(this::check);
			this.barrier.await();
		}
		catch (InterruptedException ex) {
			Thread.currentThread().interrupt();
		}
		catch (Exception ex) {
			this.errors.add(ex.toString());
			this.barrier.reset();
		}
	}

	private void take(String key, List<CheckedLock> locks) {
		try {
			locks.add((CheckedLock) this.client.lock(key));
		}
		catch (Exception ex) {
			this.lost.incrementAndGet();
			this.errors.add(key + ": " + ex);
		}
	}

	private void check(CheckedLock lock) {
		try {
			if (!lock.isHeld() || !lock.isStored()) {
				this.lost.incrementAndGet();
			}
			lock.unlock();
		}
		catch (Exception ex) {
			this.errors.add(ex.toString());
		}
	}

	private static long usedHeap() {
		for (int i = 0; i < 3; i++) {
			System.gc();
			LockSupport.parkNanos(50_000_000);
		}
		return ManagementFactory.getMemoryMXBean().getHeapMemoryUsage().getUsed();
	}

}
