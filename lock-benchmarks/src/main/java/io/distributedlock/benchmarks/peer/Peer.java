package io.distributedlock.benchmarks.peer;

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
		 * @param server where the server is
		 * @param prefix what the names of all keys begin with
		 * @return the client
		 * @throws Exception if that fails
		 */
		PeerClient connect(Address server, String prefix) throws Exception;

	}

	static Peer baseline(String name, String title, Connector connector) {
		return new Peer(name, title, Role.BASELINE, Backend.REDIS, true, false, connector);
	}

	static Peer ours(String name, String title, Connector connector) {
		return new Peer(name, title, Role.OURS, Backend.REDIS, true, false, connector);
	}

	static Peer redis(String name, String title, Connector connector) {
		return new Peer(name, title, Role.PEER, Backend.REDIS, true, false, connector);
	}

	static Peer postgres(String name, String title, Connector connector) {
		return new Peer(name, title, Role.PEER, Backend.POSTGRES, true, false, connector);
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
