package io.distributedlock.sample.servers;

import java.io.IOException;
import java.util.Locale;

/**
 * A kind of server that {@link SharedServer} starts, recognises and stops. The server
 * runs as a process of its own, in its own session, so that neither the death of the
 * instance that started it nor its Ctrl-C takes it down.
 */
interface ServerProgram {

	/**
	 * Returns the name for messages.
	 * @return such as {@code Redis}
	 */
	String name();

	/**
	 * Returns the property that chooses the server's port.
	 * @return such as {@code seckill.servers.redis-port}
	 */
	default String portProperty() {
		return "seckill.servers." + name().toLowerCase(Locale.ROOT) + "-port";
	}

	/**
	 * Looks who answers at the port, by talking to it, not by the open port alone.
	 * @param site where the server lives
	 * @return who answers
	 */
	Occupant occupant(ServerSite site);

	/**
	 * Starts the server and returns when it accepts commands.
	 * @param site where the server lives
	 * @throws IOException if its files cannot be written or its program does not run
	 */
	void start(ServerSite site) throws IOException;

	/**
	 * Stops the server and returns when it has ended.
	 * @param site where the server lives
	 * @throws IOException if it cannot be reached
	 */
	void stop(ServerSite site) throws IOException;

	/**
	 * Who answers at a port.
	 */
	enum Occupant {

		/** Nobody listens. */
		NOBODY,

		/** The server of this site. */
		OURS,

		/** Something else. */
		STRANGER

	}

}
