package io.distributedlock.benchmarks.scenario;

import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

import io.distributedlock.benchmarks.jvm.JavaProcess;
import io.distributedlock.benchmarks.jvm.Orders;
import io.distributedlock.benchmarks.lease.Task;
import io.distributedlock.benchmarks.lease.TaskResult;
import io.distributedlock.benchmarks.report.RunResult;
import org.HdrHistogram.Histogram;

/**
 * From the death of a holder to the moment when a waiter in another JVM has its lock. The
 * ttl is 3 s and renewed every second, so no peer can need less than about 2 s nor should
 * need more than about 3 s. Some time between the two renewals the holder is killed with
 * SIGKILL; the same times for all peers.
 */
final class TakeOverScenario extends LeaseScenario {

	private static final Duration TTL = Duration.ofSeconds(3);

	private static final int KILLS = 3;

	TakeOverScenario() {
		super("take-over", "take-over after the holder was killed, ttl 3 s", Set.of("ours", "redisson", "si-pubsub"));
	}

	@Override
	public RunResult run(Run run) throws IOException {
		run.server().clear();
		SplittableRandom random = new SplittableRandom(run.round());
		Histogram times = new Histogram(3);
		long violations = 0;
		long start = System.nanoTime();
		try (JavaProcess waiter = start(run, spec(run, Task.TAKE_OVER, TTL, 0, ""))) {
			waiter.expect(Orders.READY);
			for (int i = 0; i < KILLS; i++) {
				long early = TimeUnit.MILLISECONDS.toNanos(random.nextLong(300, 2300));
				long took = takeOver(run, waiter, early);
				violations += (took < 0) ? 1 : 0;
				times.recordValue(Math.max(took, 1));
			}
			waiter.tell(Orders.STOP);
		}
		double seconds = (System.nanoTime() - start) / 1e9;
		return result(run, 2, 2, new TaskResult(KILLS, seconds, times.getValueAtPercentile(50) / 1e3,
				times.getValueAtPercentile(99) / 1e3, times.getMaxValue() / 1e3, violations, List.of(), Map.of()),
				RoundTrips.medianMicros(run.server(), Duration.ofSeconds(1)), Map.of());
	}

	private static long takeOver(Run run, JavaProcess waiter, long early) throws IOException {
		try (JavaProcess holder = start(run, spec(run, Task.HOLD_UNTIL_KILLED, TTL, 0, ""))) {
			holder.expect(Orders.READY);
			holder.tell(Orders.GO);
			holder.expect(Orders.HELD);
			waiter.tell(Orders.GO);
			LockSupport.parkNanos(early);
			long killed = System.nanoTime();
			holder.kill();
			return Long.parseLong(waiter.answer()) - killed;
		}
	}

}
