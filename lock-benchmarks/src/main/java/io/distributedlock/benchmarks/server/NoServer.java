package io.distributedlock.benchmarks.server;

import java.util.List;

import io.distributedlock.benchmarks.peer.Address;

/**
 * What keeps locks in memory needs: nothing.
 */
public final class NoServer implements BenchServer {

	@Override
	public Address address() {
		throw new UnsupportedOperationException("Locks in memory have no server");
	}

	@Override
	public List<Address> addresses() {
		return List.of();
	}

	@Override
	public String version() {
		return "no server";
	}

	@Override
	public void clear() {
		// Every run has new JVMs.
	}

	@Override
	public Counters counters() {
		return new Counters(0, 0, 0, 0);
	}

	@Override
	public long ping() {
		return 0;
	}

	@Override
	public void close() {
		// Nothing to close.
	}

}
