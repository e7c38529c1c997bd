package io.distributedlock.benchmarks.worker;

import java.util.function.IntSupplier;
import java.util.stream.IntStream;

import io.distributedlock.benchmarks.peer.HeldLock;
import io.distributedlock.benchmarks.peer.PeerClient;

/**
 * Locks, spends the critical section, unlocks, and begins again at once.
 */
final class CycleThread extends LoadThread {

	private final IntSupplier picker;

	private final String[] names;

	private final CriticalSection section;

	CycleThread(Load load, int number) {
		super(load, number);
		WorkerSpec spec = load.spec();
		this.picker = spec.keys().picker(number);
		this.names = IntStream.range(0, spec.keys().count(spec.allThreads()))
			.mapToObj(LoadThread::keyName)
			.toArray(String[]::new);
		this.section = new CriticalSection(spec.sectionNanos());
	}

	@Override
	void work() throws Exception {
		PeerClient client = this.load.client();
		ExclusionCheck check = this.load.check();
		long done = 0;
		Phase began = this.load.phase();
		while (began != Phase.OVER) {
			int key = this.picker.getAsInt();
			long start = System.nanoTime();
			HeldLock held = client.lock(this.names[key]);
			long taken = System.nanoTime() - start;
			check.enter(key);
			this.section.run();
			check.leave(key);
			held.unlock();
			// A wait that began in the measured time counts even if it ends later;
			// otherwise a starved thread would not show.
			if (began == Phase.MEASURED) {
				WorkerResult.record(this.latencies, taken);
			}
			began = this.load.phase();
			if (began == Phase.MEASURED) {
				this.cycles = ++done;
			}
		}
	}

}
