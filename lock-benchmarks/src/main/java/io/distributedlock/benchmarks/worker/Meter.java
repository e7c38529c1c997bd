package io.distributedlock.benchmarks.worker;

import java.lang.management.ManagementFactory;

import com.sun.management.OperatingSystemMXBean;
import com.sun.management.ThreadMXBean;

/**
 * Processor time and allocation of this JVM: all its threads, those of the peer included.
 */
final class Meter {

	private final OperatingSystemMXBean system = ManagementFactory.getPlatformMXBean(OperatingSystemMXBean.class);

	private final ThreadMXBean threads = ManagementFactory.getPlatformMXBean(ThreadMXBean.class);

	private long startNanos;

	private long startCpu;

	private long startAllocated;

	private double seconds;

	private long cpuNanos;

	private long allocatedBytes;

	void start() {
		this.startAllocated = allocated();
		this.startCpu = this.system.getProcessCpuTime();
		this.startNanos = System.nanoTime();
	}

	void stop() {
		this.seconds = (System.nanoTime() - this.startNanos) / 1e9;
		this.cpuNanos = this.system.getProcessCpuTime() - this.startCpu;
		this.allocatedBytes = allocated() - this.startAllocated;
	}

	// Threads that ended meanwhile are missing: short-lived ones of a pool at worst.
	private long allocated() {
		long sum = 0;
		for (long bytes : this.threads.getThreadAllocatedBytes(this.threads.getAllThreadIds())) {
			sum += Math.max(bytes, 0);
		}
		return sum;
	}

	double seconds() {
		return this.seconds;
	}

	long cpuNanos() {
		return this.cpuNanos;
	}

	long allocatedBytes() {
		return this.allocatedBytes;
	}

}
