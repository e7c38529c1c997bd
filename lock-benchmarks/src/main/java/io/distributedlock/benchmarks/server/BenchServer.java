package io.distributedlock.benchmarks.server;

import java.util.List;

import io.distributedlock.benchmarks.peer.Address;

/**
 * A server that keeps locks.
 */
public interface BenchServer extends AutoCloseable {

	/** How long {@link #learn} takes. */
	int LEARNING_MILLIS = 100;

	/**
	 * Returns where it listens.
	 * @return the address
	 */
	Address address();

	/**
	 * Returns where all of it listens, if it is more than one server.
	 * @return the addresses
	 */
	default List<Address> addresses() {
		return List.of(address());
	}

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
	 * Looks, during the warm-up, at what clients ask for. Takes about
	 * {@value #LEARNING_MILLIS} ms.
	 */
	default void learn() {
	}

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
