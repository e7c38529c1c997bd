package io.distributedlock.benchmarks.jmh;

import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

import io.distributedlock.Lease;
import io.distributedlock.LockInspector.LockStatistics;
import io.distributedlock.LockRequest;
import io.distributedlock.engine.LockEngine;
import io.distributedlock.test.InMemoryLockServer;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Threads;
import org.openjdk.jmh.infra.BenchmarkParams;
import org.openjdk.jmh.infra.Blackhole;
import org.openjdk.jmh.infra.Control;

/**
 * Two threads of one JVM that pass one lock to and fro. A holder lets go when the other
 * one has come for it, so nearly every release is a handoff; without that, a thread on a
 * core of its own would often take the lock again before the other one comes. An
 * operation is one turn, in which the lock changes hands twice.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Threads(2)
public class HandoffBenchmark {

	/** About a microsecond: from the call to the place in the queue. */
	private static final long TO_THE_QUEUE = 500;

	private final AtomicInteger coming = new AtomicInteger();

	private LockEngine engine;

	private LockRequest request;

	/**
	 * Starts the engine.
	 */
	@Setup
	public void start() {
		this.engine = LockEngine.builder().store(InMemoryLockServer.create().connect("benchmark")).build();
		this.request = LockRequest.of("stock", "42").withWaitTime(Duration.ofMinutes(1));
	}

	/**
	 * Checks that the lock really went from one thread to the other.
	 * @param parameters how this was run
	 */
	@TearDown
	public void stop(BenchmarkParams parameters) {
		LockStatistics statistics = this.engine.statistics().get(0);
		this.engine.close();
		// A block ends now and then, and then the lock comes from the store. Without a
		// warm-up, code that is not compiled yet is late to the queue.
		boolean warm = parameters.getWarmup().getCount() > 0;
		if (warm && statistics.localHandoffs() < statistics.acquired() / 2) {
			throw new IllegalStateException("Only " + statistics.localHandoffs() + " of " + statistics.acquired()
					+ " leases were handed on, so this is not what it is called");
		}
	}

	/**
	 * One turn.
	 * @param control tells when the other thread may have stopped
	 * @return a token
	 */
	@Benchmark
	public long pass(Control control) {
		this.coming.incrementAndGet();
		try (Lease lease = this.engine.acquire(this.request)) {
			this.coming.decrementAndGet();
			while (this.coming.get() == 0 && !control.stopMeasurement) {
				Thread.onSpinWait();
			}
			Blackhole.consumeCPU(TO_THE_QUEUE);
			return lease.fencingToken();
		}
	}

}
