package io.distributedlock.store.redis;

import java.util.stream.Collectors;

import org.springframework.data.redis.connection.RedisConfiguration;
import org.springframework.data.redis.connection.RedisStaticMasterReplicaConfiguration;

/**
 * Names servers for messages.
 */
final class Servers {

	private Servers() {
	}

	/**
	 * Names the servers of a configuration, without credentials.
	 */
	static String address(RedisConfiguration servers) {
		if (servers instanceof RedisConfiguration.ClusterConfiguration cluster) {
			return cluster.getClusterNodes().stream().map(Object::toString).collect(Collectors.joining(","));
		}
		if (servers instanceof RedisConfiguration.SentinelConfiguration sentinel) {
			String name = (sentinel.getMaster() != null) ? sentinel.getMaster().getName() : "?";
			return name + " of Sentinel "
					+ sentinel.getSentinels().stream().map(Object::toString).collect(Collectors.joining(","));
		}
		if (servers instanceof RedisConfiguration.DomainSocketConfiguration socket) {
			return socket.getSocket();
		}
		if (servers instanceof RedisStaticMasterReplicaConfiguration nodes) {
			return nodes.getNodes()
				.stream()
				.map((node) -> node.getHostName() + ":" + node.getPort())
				.collect(Collectors.joining(","));
		}
		if (servers instanceof RedisConfiguration.WithHostAndPort node) {
			return node.getHostName() + ":" + node.getPort();
		}
		return servers.toString();
	}

}
