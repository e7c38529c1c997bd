package io.distributedlock.store.etcd.server;

import java.util.ArrayList;
import java.util.List;

/**
 * Several etcd servers that form a cluster, all on 127.0.0.1.
 */
public final class EtcdCluster implements AutoCloseable {

	private final List<EtcdServer> servers = new ArrayList<>();

	private EtcdCluster() {
	}

	/**
	 * Starts a cluster and waits until all its members take writes.
	 * @param size how many servers, such as three
	 * @param arguments more arguments of {@code etcd}
	 * @return the running cluster
	 */
	public static EtcdCluster start(int size, String... arguments) {
		EtcdCluster cluster = new EtcdCluster();
		List<Integer> peers = new ArrayList<>();
		List<String> members = new ArrayList<>();
		for (int i = 0; i < size; i++) {
			peers.add(EtcdServer.freePort());
			members.add("n" + i + "=http://127.0.0.1:" + peers.get(i));
		}
		for (int i = 0; i < size; i++) {
			List<String> all = new ArrayList<>(List.of("--initial-cluster", String.join(",", members)));
			all.addAll(List.of(arguments));
			cluster.servers.add(new EtcdServer("n" + i, EtcdServer.freePort(), peers.get(i), all));
		}
		cluster.servers.forEach(EtcdServer::launch);
		cluster.servers.forEach(EtcdServer::awaitHealth);
		return cluster;
	}

	/**
	 * Returns the servers.
	 * @return all of them, also those that were killed
	 */
	public List<EtcdServer> servers() {
		return List.copyOf(this.servers);
	}

	/**
	 * Returns where clients connect to.
	 * @return one endpoint for each server
	 */
	public List<String> endpoints() {
		return this.servers.stream().map(EtcdServer::endpoint).toList();
	}

	/**
	 * Finds the leader.
	 * @return the server that leads
	 */
	public EtcdServer leader() {
		for (EtcdServer server : this.servers) {
			if (server.isRunning() && isLeader(server)) {
				return server;
			}
		}
		throw new IllegalStateException("The cluster has no leader now");
	}

	private static boolean isLeader(EtcdServer server) {
		// endpoint, member, version, size, leader?, ...
		return server.etcdctl("endpoint", "status", "--write-out=simple").split(", ")[4].equals("true");
	}

	@Override
	public void close() {
		this.servers.forEach(EtcdServer::close);
	}

}
