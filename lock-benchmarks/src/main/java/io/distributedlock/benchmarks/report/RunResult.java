package io.distributedlock.benchmarks.report;

import java.util.List;
import java.util.Map;

/**
 * What one run of one peer in one scenario gave. A cycle is one lock and one unlock; in
 * scenarios that only try, it is one refused try.
 *
 * @param scenario name of the scenario
 * @param sectionMicros length of the critical section
 * @param peer name of the peer
 * @param round number of the round, from 1
 * @param jvms how many JVMs worked
 * @param threads how many threads they had together
 * @param seconds length of the measured time
 * @param cycles cycles that ended in it
 * @param cyclesPerSecond throughput
 * @param p50Micros median time that {@code lock()} took
 * @param p99Micros its 99th percentile
 * @param maxMicros its maximum
 * @param jainThreads Jain's index of fairness over all threads
 * @param jainJvms Jain's index of fairness over JVMs
 * @param serverCommandsPerCycle commands, those inside of scripts included; of a database
 * statements, of etcd and ZooKeeper requests
 * @param serverCommandMicrosPerCycle time the server spent in commands, or NaN
 * @param serverCpuMicrosPerCycle processor time of the server
 * @param clientCpuMicrosPerCycle processor time of all worker JVMs
 * @param allocatedBytesPerCycle bytes that they allocated
 * @param violations how often two threads were inside of one lock
 * @param pingMicros median round trip of a plain socket during the run
 * @param errors what went wrong, empty if all is well
 * @param more figures that only this scenario has
 */
public record RunResult(String scenario, double sectionMicros, String peer, int round, int jvms, int threads,
		double seconds, long cycles, double cyclesPerSecond, double p50Micros, double p99Micros, double maxMicros,
		double jainThreads, double jainJvms, double serverCommandsPerCycle, double serverCommandMicrosPerCycle,
		double serverCpuMicrosPerCycle, double clientCpuMicrosPerCycle, double allocatedBytesPerCycle, long violations,
		double pingMicros, List<String> errors, Map<String, Double> more) {

	/** Name of the figure: how often the server made data durable, per cycle. */
	public static final String SYNCS = "syncs";

	/**
	 * Tells whether this run may be counted.
	 * @return false if something went wrong or nothing was done
	 */
	public boolean sound() {
		return this.violations == 0 && this.errors.isEmpty() && this.cycles > 0;
	}

	/**
	 * Returns a figure that only this scenario has.
	 * @param name its name
	 * @return the figure, or NaN if the run has none of that name
	 */
	public double figure(String name) {
		return this.more.getOrDefault(name, Double.NaN);
	}

	RunResult withRound(int number) {
		return new RunResult(this.scenario, this.sectionMicros, this.peer, number, this.jvms, this.threads,
				this.seconds, this.cycles, this.cyclesPerSecond, this.p50Micros, this.p99Micros, this.maxMicros,
				this.jainThreads, this.jainJvms, this.serverCommandsPerCycle, this.serverCommandMicrosPerCycle,
				this.serverCpuMicrosPerCycle, this.clientCpuMicrosPerCycle, this.allocatedBytesPerCycle,
				this.violations, this.pingMicros, this.errors, this.more);
	}

	/**
	 * Returns the result of a run that was not possible.
	 * @param scenario name of the scenario
	 * @param sectionMicros length of the critical section
	 * @param peer name of the peer
	 * @param round number of the round
	 * @param reason why
	 * @return a result without figures
	 */
	public static RunResult failed(String scenario, double sectionMicros, String peer, int round, String reason) {
		double none = Double.NaN;
		return new RunResult(scenario, sectionMicros, peer, round, 0, 0, 0, 0, 0, none, none, none, none, none, none,
				none, none, none, none, 0, none, List.of(reason), Map.of());
	}

}
