package io.distributedlock.benchmarks.scenario;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;

import io.distributedlock.benchmarks.peer.Peer;
import io.distributedlock.benchmarks.server.BenchServer;

/**
 * One run: one peer, one scenario, once.
 *
 * @param id differs from run to run
 * @param peer the peer
 * @param round number of the round, from 1
 * @param server the server, empty or shared with others
 * @param section length of the critical section
 * @param warmUp how long work is done without being counted
 * @param measured how long it counts
 * @param jvmArguments more arguments of worker JVMs
 * @param log where workers write what they have to say
 */
public record Run(String id, Peer peer, int round, BenchServer server, Duration section, Duration warmUp,
		Duration measured, List<String> jvmArguments, Path log) {

	/**
	 * Returns what the names of all keys of this run begin with.
	 * @return the prefix
	 */
	public String prefix() {
		return "bench-" + this.id + ":";
	}

	Run withWarmUp(Duration longer) {
		return new Run(this.id, this.peer, this.round, this.server, this.section, longer, this.measured,
				this.jvmArguments, this.log);
	}

}
