package io.distributedlock.benchmarks.worker;

import java.lang.management.ManagementFactory;
import java.util.HashMap;
import java.util.Map;

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

	private Map<Long, Long> startAllocated = Map.of();

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
		this.allocatedBytes = allocatedSince(this.startAllocated);
	}

	// What threads allocate that end in the measured time is missing.
	private Map<Long, Long> allocated() {
		long[] ids = this.threads.getAllThreadIds();
		long[] bytes = this.threads.getThreadAllocatedBytes(ids);
		Map<Long, Long> allocated = new HashMap<>();
		for (int i = 0; i < ids.length; i++) {
			allocated.put(ids[i], bytes[i]);
		}
		return allocated;
	}

	private long allocatedSince(Map<Long, Long> start) {
		long sum = 0;
		for (Map.Entry<Long, Long> thread : allocated().entrySet()) {
			sum += Math.max(0, thread.getValue() - start.getOrDefault(thread.getKey(), 0L));
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
