package io.distributedlock.benchmarks;

import java.time.Duration;
import java.util.List;

import io.distributedlock.benchmarks.peer.Peer;
import io.distributedlock.benchmarks.scenario.Scenario;

/**
 * A part of a run of the driver.
 *
 * @param scenarios what is measured
 * @param peers who is measured
 * @param sections lengths of the critical section
 * @param rounds how often
 * @param warmUp how long each run does work that does not count
 * @param measured how long it counts
 */
record Plan(List<Scenario> scenarios, List<Peer> peers, List<Duration> sections, int rounds, Duration warmUp,
		Duration measured) {

	Plan {
		scenarios = List.copyOf(scenarios);
		peers = List.copyOf(peers);
		sections = List.copyOf(sections);
	}

}
