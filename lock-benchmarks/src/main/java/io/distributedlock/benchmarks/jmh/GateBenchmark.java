package io.distributedlock.benchmarks.jmh;

import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

import io.distributedlock.Lease;
import io.distributedlock.LockOwner;
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

/**
 * What the engine costs one caller, without Spring and without meters.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
public class GateBenchmark {

	private LockEngine engine;

	private LockRequest free;

	private LockRequest reentered;

	private LockRequest refused;

	/**
	 * Takes the locks that are held all the time.
	 */
	@Setup
	public void start() {
		this.engine = LockEngine.builder().store(InMemoryLockServer.create().connect("benchmark")).build();
		this.free = LockRequest.of("stock", "free");
		LockOwner holder = LockOwner.create("holder");
		this.reentered = LockRequest.of("stock", "reentered").withOwner(holder);
		this.engine.acquire(this.reentered);
		LockRequest held = LockRequest.of("stock", "held");
		this.engine.acquire(held.withOwner(LockOwner.create("other")));
		this.refused = held.withWaitTime(Duration.ZERO);
	}

	/**
	 * Ends the engine.
	 */
	@TearDown
	public void stop() {
		this.engine.close();
	}

	/**
	 * Takes a free lock and gives it back.
	 */
	@Benchmark
	public long enterAndLeave() {
		try (Lease lease = this.engine.acquire(this.free)) {
			return lease.fencingToken();
		}
	}

	/**
	 * Takes a lock that the same owner holds, and gives it back.
	 */
	@Benchmark
	public long reenterAndLeave() {
		try (Lease lease = this.engine.acquire(this.reentered)) {
			return lease.fencingToken();
		}
	}

	/**
	 * Is refused a lock that somebody else in this JVM holds.
	 */
	@Benchmark
	public Optional<Lease> refusedWithoutWaiting() {
		Optional<Lease> lease = this.engine.tryAcquire(this.refused);
		if (lease.isPresent()) {
			throw new IllegalStateException("The lock was not held");
		}
		return lease;
	}

}
