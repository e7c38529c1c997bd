package io.distributedlock.benchmarks.worker;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

import io.distributedlock.benchmarks.peer.PeerClient;
import org.HdrHistogram.Histogram;

/**
 * The threads of a worker.
 */
final class Load {

	private final WorkerSpec spec;

	private final PeerClient client;

	private final ExclusionCheck check;

	private final Meter meter = new Meter();

	private final List<LoadThread> threads = new ArrayList<>();

	private final ConcurrentLinkedQueue<String> errors = new ConcurrentLinkedQueue<>();

	private final CountDownLatch over = new CountDownLatch(1);

	private volatile Phase phase = Phase.WARM_UP;

	Load(WorkerSpec spec, PeerClient client, ExclusionCheck check) {
		this.spec = spec;
		this.client = client;
		this.check = check;
	}

	Phase phase() {
		return this.phase;
	}

	WorkerSpec spec() {
		return this.spec;
	}

	PeerClient client() {
		return this.client;
	}

	ExclusionCheck check() {
		return this.check;
	}

	/** Makes the threads; returns once the hot key is held, if that is asked for. */
	void prepare() throws InterruptedException {
		switch (this.spec.work()) {
			case CYCLES -> addThreads(CycleThread::new);
			case TRIES -> addThreads(TryThread::new);
			case HOLD -> hold();
			case HOLD_AND_TRIES -> {
				hold();
				addThreads(TryThread::new);
			}
		}
	}

	private void addThreads(LoadThread.Maker maker) {
		for (int i = 0; i < this.spec.threads(); i++) {
			this.threads.add(maker.make(this, this.spec.firstThread() + i));
		}
	}

	private void hold() throws InterruptedException {
		CountDownLatch holding = new CountDownLatch(1);
		Thread holder = new Thread(() -> {
			try {
				var held = this.client.lock(LoadThread.keyName(0));
				this.check.enter(0);
				holding.countDown();
				this.over.await();
				this.check.leave(0);
				held.unlock();
			}
			catch (Throwable ex) {
				failed(ex);
				holding.countDown();
			}
		}, "holder");
		holder.setDaemon(true);
		holder.start();
		holding.await();
	}

	void failed(Throwable failure) {
		this.errors.add(Thread.currentThread().getName() + ": " + failure);
	}

	void start() {
		this.threads.forEach(Thread::start);
	}

	void measure() {
		this.meter.start();
		this.phase = Phase.MEASURED;
	}

	/** Ends the measured time, and waits for the threads. */
	WorkerResult stop() throws InterruptedException {
		this.phase = Phase.OVER;
		this.meter.stop();
		this.over.countDown();
		Histogram latencies = WorkerResult.histogram();
		long end = System.nanoTime() + WorkerSpec.DRAIN.toNanos();
		int stuck = 0;
		for (LoadThread thread : this.threads) {
			thread.join(Math.max(1, TimeUnit.NANOSECONDS.toMillis(end - System.nanoTime())));
			if (thread.isAlive()) {
				stuck++;
			}
			else {
				latencies.add(thread.latencies);
			}
		}
		if (stuck > 0) {
			this.errors.add(stuck + " threads still waited " + WorkerSpec.DRAIN.toSeconds() + " s after the end");
		}
		long[] cycles = this.threads.stream().mapToLong((thread) -> thread.cycles).toArray();
		return new WorkerResult(this.meter.seconds(), cycles, WorkerResult.encode(latencies), this.meter.cpuNanos(),
				this.meter.allocatedBytes(), this.check.violations(), List.copyOf(this.errors));
	}

}
