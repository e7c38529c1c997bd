package io.distributedlock.benchmarks.worker;

import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

import io.distributedlock.benchmarks.peer.HeldLock;

/**
 * Tries for a key that is held, at a fixed rate.
 */
final class TryThread extends LoadThread {

	private final long interval;

	TryThread(Load load, int number) {
		super(load, number);
		WorkerSpec spec = load.spec();
		this.interval = TimeUnit.SECONDS.toNanos(1) * spec.threads() / spec.triesPerSecond();
	}

	@Override
	void work() throws Exception {
		String key = keyName(0);
		long done = 0;
		long next = System.nanoTime();
		Phase began = this.load.phase();
		while (began != Phase.OVER) {
			long early = next - System.nanoTime();
			while (early > 0) {
				LockSupport.parkNanos(early);
				early = next - System.nanoTime();
			}
			next += this.interval;
			began = this.load.phase();
			long start = System.nanoTime();
			HeldLock held = this.load.client().tryLock(key);
			long taken = System.nanoTime() - start;
			if (held != null) {
				if (began == Phase.OVER) {
					held.unlock();
					return;
				}
				this.load.check().enter(0);
				throw new IllegalStateException("got a lock that is held");
			}
			if (began == Phase.MEASURED) {
				WorkerResult.record(this.latencies, taken);
				this.cycles = ++done;
			}
		}
	}

}
