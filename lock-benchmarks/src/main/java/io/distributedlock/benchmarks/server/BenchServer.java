package io.distributedlock.benchmarks.server;

import io.distributedlock.benchmarks.peer.Address;

/**
 * A server that keeps locks.
 */
public interface BenchServer extends AutoCloseable {

	/**
	 * Returns where it listens.
	 * @return the address
	 */
	Address address();

	/**
	 * Returns what it is.
	 * @return name and version
	 */
	String version();

	/**
	 * Removes all locks, if this server is ours.
	 */
	void clear();

	/**
	 * Reads the counters, without what this object itself has asked for.
	 * @return the counters
	 */
	Counters counters();

	/**
	 * Measures one round trip: the smallest request on a plain socket.
	 * @return the time in nanoseconds
	 */
	long ping();

	@Override
	void close();

}
