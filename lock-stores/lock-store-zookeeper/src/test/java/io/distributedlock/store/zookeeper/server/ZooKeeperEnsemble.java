package io.distributedlock.store.zookeeper.server;

import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * Three ZooKeeper servers that form an ensemble.
 */
public final class ZooKeeperEnsemble implements AutoCloseable {

	private final List<ZooKeeperServerProcess> servers = new ArrayList<>();

	private ZooKeeperEnsemble(Duration tick) {
		Set<Integer> ports = new HashSet<>();
		List<Integer> all = new ArrayList<>();
		while (all.size() < 9) {
			int port = ZooKeeperServerProcess.freePort();
			if (ports.add(port)) {
				all.add(port);
			}
		}
		StringBuilder members = new StringBuilder();
		for (int id = 1; id <= 3; id++) {
			members.append("server.%d=127.0.0.1:%d:%d%n".formatted(id, all.get(3 + id - 1), all.get(6 + id - 1)));
		}
		for (int id = 1; id <= 3; id++) {
			this.servers.add(new ZooKeeperServerProcess(all.get(id - 1), members.toString(), id, tick,
					Map.of("minSessionTimeout", "500", "maxSessionTimeout", "120000"), false));
		}
		this.servers.forEach(ZooKeeperServerProcess::launch);
		this.servers.forEach(ZooKeeperServerProcess::awaitService);
	}

	/**
	 * Starts three servers with a tick of 1 s and sessions from 500 ms to 2 minutes.
	 * @return the running ensemble
	 */
	public static ZooKeeperEnsemble start() {
		return new ZooKeeperEnsemble(Duration.ofSeconds(1));
	}

	/**
	 * Returns the server that leads.
	 * @return the leader
	 */
	public ZooKeeperServerProcess leader() {
		return this.servers.stream()
			.filter((server) -> "leader".equals(server.mode()))
			.findFirst()
			.orElseThrow(() -> new IllegalStateException("No server leads"));
	}

	/**
	 * Returns the servers.
	 * @return all three
	 */
	public List<ZooKeeperServerProcess> servers() {
		return List.copyOf(this.servers);
	}

	/**
	 * Returns what a client connects to.
	 * @return addresses and ports of all three
	 */
	public String connectString() {
		return this.servers.stream().map(ZooKeeperServerProcess::connectString).collect(Collectors.joining(","));
	}

	@Override
	public void close() {
		this.servers.forEach(ZooKeeperServerProcess::close);
	}

}
