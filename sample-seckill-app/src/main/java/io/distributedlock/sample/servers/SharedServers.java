package io.distributedlock.sample.servers;

import java.util.ArrayList;
import java.util.List;

/**
 * Membership in several servers that belong together.
 */
final class SharedServers implements AutoCloseable {

	private static final int REDLOCK_NODES = 5;

	private final List<SharedServer> servers = new ArrayList<>();

	private SharedServers() {
	}

	static SharedServers joinRedlock(EmbeddedServersProperties properties) {
		SharedServers joined = new SharedServers();
		try {
			for (int number = 1; number <= REDLOCK_NODES; number++) {
				int port = (properties.redlockPort() != 0) ? properties.redlockPort() + number - 1 : 0;
				joined.servers.add(SharedServer.join(
						new RedisProgram("Redis " + number + " of " + REDLOCK_NODES, "seckill.servers.redlock-port"),
						properties.directoryOf("redlock-" + number), port));
			}
			return joined;
		}
		catch (RuntimeException ex) {
			joined.close();
			throw ex;
		}
	}

	List<ServerSite> sites() {
		return this.servers.stream().map(SharedServer::site).toList();
	}

	@Override
	public void close() {
		this.servers.forEach(SharedServer::close);
	}

}
