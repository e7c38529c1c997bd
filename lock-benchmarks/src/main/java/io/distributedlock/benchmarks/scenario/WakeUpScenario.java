package io.distributedlock.benchmarks.scenario;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.locks.LockSupport;

import io.distributedlock.benchmarks.jvm.JavaProcess;
import io.distributedlock.benchmarks.jvm.Orders;
import io.distributedlock.benchmarks.lease.Task;
import io.distributedlock.benchmarks.lease.TaskResult;
import io.distributedlock.benchmarks.report.RunResult;

/**
 * From the begin of a release in one JVM to the return of the acquire that waits in
 * another one.
 */
final class WakeUpScenario extends LeaseScenario {

	// Forty wake-ups a second compile little; the warm-up has many more, and needs them.
	private static final int LONGER_WARM_UP = 2;

	WakeUpScenario() {
		super("wake-up", "wake-up of a waiter in another JVM",
				Set.of("ours", "redisson", "redisson-fair", "si-pubsub"));
	}

	@Override
	public RunResult run(Run given) throws IOException {
		Run run = given.withWarmUp(given.warmUp().multipliedBy(LONGER_WARM_UP));
		run.server().clear();
		Path shared = Files.createTempFile("lock-bench-", ".mem");
		try (JavaProcess holder = start(run, spec(run, Task.HOLD_FOR_WAITER, Duration.ZERO, 0, shared.toString()));
				JavaProcess waiter = start(run,
						spec(run, Task.WAIT_FOR_RELEASE, Duration.ZERO, 0, shared.toString()))) {
			holder.expect(Orders.READY);
			waiter.expect(Orders.READY);
			holder.tell(Orders.GO);
			waiter.tell(Orders.GO);
			LockSupport.parkNanos(run.warmUp().toNanos());
			double ping = RoundTrips.medianMicros(run.server(), run.measured());
			TaskResult found = waiter.answer(TaskResult.class);
			return result(run, 2, 2, found, ping, Map.of("roundTrips", found.p50Micros() / ping));
		}
		finally {
			Files.deleteIfExists(shared);
		}
	}

}
