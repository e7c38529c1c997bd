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

/**
 * Ten times as many callers as can be served, without and with load shedding. The times
 * are those of refused callers, with it.
 */
final class FlashSaleScenario extends LeaseScenario {

	private static final Duration TTL = Duration.ofSeconds(10);

	private static final int THREADS = 200;

	FlashSaleScenario() {
		super("flash-sale", "one hot key held for 5 ms, ten times as many callers as can be served, wait time 500 ms",
				Set.of("ours"));
	}

	@Override
	public RunResult run(Run run) throws IOException {
		run.server().clear();
		try (JavaProcess worker = start(run, spec(run, Task.FLASH_SALE, TTL, THREADS, ""))) {
			worker.expect(Orders.READY);
			double ping = RoundTrips.medianMicros(run.server(), Duration.ofSeconds(1));
			worker.tell(Orders.GO);
			TaskResult found = worker.answer(TaskResult.class);
			return result(run, 1, THREADS, found, ping, Map.of());
		}
	}

}
