package io.distributedlock.benchmarks.peer;

import java.util.List;

/**
 * Something that is measured.
 *
 * @param name what it is called on the command line and in results
 * @param title what it is called in tables
 * @param role why it is there
 * @param backend what keeps its locks
 * @param waits whether it can wait for a lock; otherwise it can only try
 * @param fair whether it promises the order of arrival across JVMs
 * @param connector makes its client
 */
public record Peer(String name, String title, Role role, Backend backend, boolean waits, boolean fair,
		Connector connector) {

	/**
	 * Why a peer is there.
	 */
	public enum Role {

		/** Not a product: what bare commands cost. */
		BASELINE,

		/** This library. */
		OURS,

		/** Another library. */
		PEER

	}

	/**
	 * Makes the client of one JVM.
	 */
	@FunctionalInterface
	public interface Connector {

		/**
		 * Connects.
		 * @param servers where the servers are
		 * @param prefix what the names of all keys begin with
		 * @return the client
		 * @throws Exception if that fails
		 */
		PeerClient connect(List<Address> servers, String prefix) throws Exception;

	}

	/**
	 * Makes the client of one JVM for a single server.
	 */
	@FunctionalInterface
	interface SingleConnector {

		/** Connects. */
		PeerClient connect(Address server, String prefix) throws Exception;

	}

	static Peer baseline(String name, String title, SingleConnector connector) {
		return new Peer(name, title, Role.BASELINE, Backend.REDIS, true, false, single(connector));
	}

	static Peer ours(String name, String title, Backend backend, SingleConnector connector) {
		return oursOnAll(name, title, backend, single(connector));
	}

	static Peer oursOnAll(String name, String title, Backend backend, Connector connector) {
		return new Peer(name, title, Role.OURS, backend, true, false, connector);
	}

	static Peer redis(String name, String title, SingleConnector connector) {
		return other(name, title, Backend.REDIS, connector);
	}

	static Peer other(String name, String title, Backend backend, SingleConnector connector) {
		return new Peer(name, title, Role.PEER, backend, true, false, single(connector));
	}

	private static Connector single(SingleConnector connector) {
		return (servers, prefix) -> connector.connect(servers.get(0), prefix);
	}

	Peer thatIsFair() {
		return new Peer(this.name, this.title, this.role, this.backend, this.waits, true, this.connector);
	}

	Peer thatOnlyTries() {
		return new Peer(this.name, this.title, this.role, this.backend, false, this.fair, this.connector);
	}

	@Override
	public String toString() {
		return this.name;
	}

}
