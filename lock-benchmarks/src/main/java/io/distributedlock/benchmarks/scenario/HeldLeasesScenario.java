package io.distributedlock.benchmarks.scenario;

import java.io.IOException;
import java.time.Duration;
import java.util.Map;
import java.util.Set;

import io.distributedlock.benchmarks.jvm.JavaProcess;
import io.distributedlock.benchmarks.jvm.Orders;
import io.distributedlock.benchmarks.lease.Task;
import io.distributedlock.benchmarks.lease.TaskResult;
import io.distributedlock.benchmarks.report.RunResult;
import io.distributedlock.benchmarks.server.Counters;

/**
 * Many leases in one JVM that nobody else wants: what renewing them costs, what they take
 * of the heap, and whether all of them are still held after several periods of renewal.
 */
final class HeldLeasesScenario extends LeaseScenario {

	private static final Duration TTL = Duration.ofSeconds(6);

	// All peers here renew every third of the ttl.
	private static final int RENEWALS = 5;

	private final int leases;

	HeldLeasesScenario(int leases) {
		super("held-" + leases, String.format("%,d held leases, ttl 6 s", leases), Set.of("ours", "redisson"));
		this.leases = leases;
	}

	@Override
	public RunResult run(Run run) throws IOException {
		run.server().clear();
		try (JavaProcess worker = start(run, spec(run, Task.HOLD_MANY, TTL, this.leases, ""))) {
			worker.expect(Orders.READY);
			worker.tell(Orders.GO);
			worker.expect(Orders.HELD);
			worker.tell(Orders.MEASURE);
			Counters before = run.server().counters();
			long start = System.nanoTime();
			double ping = RoundTrips.medianMicros(run.server(), TTL.dividedBy(3).multipliedBy(RENEWALS));
			double micros = (System.nanoTime() - start) / 1e3;
			Counters server = run.server().counters().since(before);
			worker.tell(Orders.STOP);
			TaskResult found = worker.answer(TaskResult.class);
			// A peer that loses leases has fewer to renew, so the work has to be counted.
			double renewals = RENEWALS * (this.leases - found.more().getOrDefault("lost", 0.0));
			double cpuMicros = found.more().getOrDefault("clientCpuPercent", Double.NaN) / 100 * found.seconds() * 1e6;
			return result(run, 1, 0, found, ping,
					Map.of("serverCpuPercent", 100 * server.cpuMicros() / micros, "serverCommandsPerSecond",
							server.commands() / micros * 1e6, "clientCpuMicrosPerRenewal", cpuMicros / renewals));
		}
	}

}
