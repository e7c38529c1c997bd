package io.distributedlock.benchmarks.scenario;

import java.io.IOException;
import java.time.Duration;
import java.util.Map;
import java.util.Set;

import io.distributedlock.benchmarks.jvm.JavaProcess;
import io.distributedlock.benchmarks.jvm.Orders;
import io.distributedlock.benchmarks.lease.Task;
import io.distributedlock.benchmarks.lease.TaskResult;
import io.distributedlock.benchmarks.peer.Peer;
import io.distributedlock.benchmarks.report.RunResult;

/**
 * Very many virtual threads wait for one key; measured from its release until all have
 * had it. Only on a JDK that has virtual threads.
 */
final class VirtualThreadsScenario extends LeaseScenario {

	private static final int WAITERS = 10_000;

	private static final int FIRST_JDK = 21;

	VirtualThreadsScenario() {
		super("virtual-10000", "10,000 virtual threads wait for one key",
				Set.of("ours", "redisson", "si-spin", "si-pubsub"));
	}

	@Override
	public boolean suits(Peer peer, Duration section) {
		return super.suits(peer, section) && Runtime.version().feature() >= FIRST_JDK;
	}

	@Override
	public RunResult run(Run run) throws IOException {
		run.server().clear();
		try (JavaProcess worker = start(run, spec(run, Task.VIRTUAL_THREADS, Duration.ZERO, WAITERS, ""))) {
			worker.expect(Orders.READY);
			double ping = RoundTrips.medianMicros(run.server(), Duration.ofSeconds(1));
			worker.tell(Orders.GO);
			TaskResult found = worker.answer(TaskResult.class);
			return result(run, 1, WAITERS, found, ping, Map.of());
		}
	}

}
