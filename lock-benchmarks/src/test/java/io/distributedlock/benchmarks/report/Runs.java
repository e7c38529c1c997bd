package io.distributedlock.benchmarks.report;

import java.util.List;
import java.util.Map;

/**
 * Made-up results.
 */
final class Runs {

	private Runs() {
	}

	static RunResult run(String scenario, String peer, int round, double cyclesPerSecond, double p99Micros) {
		return new RunResult(scenario, 0, peer, round, 1, 32, 1, Math.round(cyclesPerSecond), cyclesPerSecond,
				p99Micros / 2, p99Micros, p99Micros * 2, 1, 1, 0.1, 1, 1, 1, 1, 0, 50, List.of(), Map.of());
	}

	static RunResult withViolations(RunResult run, long violations) {
		return new RunResult(run.scenario(), run.sectionMicros(), run.peer(), run.round(), run.jvms(), run.threads(),
				run.seconds(), run.cycles(), run.cyclesPerSecond(), run.p50Micros(), run.p99Micros(), run.maxMicros(),
				run.jainThreads(), run.jainJvms(), run.serverCommandsPerCycle(), run.serverCommandMicrosPerCycle(),
				run.serverCpuMicrosPerCycle(), run.clientCpuMicrosPerCycle(), run.allocatedBytesPerCycle(), violations,
				run.pingMicros(), run.errors(), run.more());
	}

}
