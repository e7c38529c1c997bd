package io.distributedlock.benchmarks.scenario;

import java.time.Duration;

import io.distributedlock.benchmarks.peer.Peer;
import io.distributedlock.benchmarks.report.RunResult;

/**
 * Something to measure.
 */
public interface Scenario {

	/**
	 * Returns what it is called on the command line and in results.
	 * @return the name
	 */
	String name();

	/**
	 * Returns what it is called in tables.
	 * @return the title
	 */
	String title();

	/**
	 * Tells whether it makes sense.
	 * @param peer the peer
	 * @param section length of the critical section
	 * @return false to leave it out
	 */
	boolean suits(Peer peer, Duration section);

	/**
	 * Measures once.
	 * @param run what to measure
	 * @return the result
	 * @throws Exception if that is not possible
	 */
	RunResult run(Run run) throws Exception;

}
