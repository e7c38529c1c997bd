package io.distributedlock.benchmarks;

import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

import io.distributedlock.benchmarks.peer.Address;
import io.distributedlock.benchmarks.peer.Backend;
import io.distributedlock.benchmarks.server.BenchServer;
import io.distributedlock.benchmarks.server.EtcdServer;
import io.distributedlock.benchmarks.server.FiveRedisServers;
import io.distributedlock.benchmarks.server.NoServer;
import io.distributedlock.benchmarks.server.PostgresServer;
import io.distributedlock.benchmarks.server.RedisServer;
import io.distributedlock.benchmarks.server.ReplicatedRedisServer;
import io.distributedlock.benchmarks.server.ZooKeeperServer;
import org.jspecify.annotations.Nullable;

/**
 * The servers of one run of the driver, each started when it is needed.
 */
final class Servers implements AutoCloseable {

	private final Map<Backend, BenchServer> servers = new EnumMap<>(Backend.class);

	private final @Nullable Address redis;

	private boolean closed;

	Servers(@Nullable Address redis) {
		this.redis = redis;
	}

	synchronized BenchServer get(Backend backend) {
		if (this.closed) {
			throw new IllegalStateException("The benchmarks are ending");
		}
		return this.servers.computeIfAbsent(backend, this::start);
	}

	/** Tells what to do before a kind of server can be used; empty if it is there. */
	static Optional<String> missing(Backend backend) {
		return (backend == Backend.ETCD && EtcdServer.program().isEmpty())
				? Optional.of("there is no etcd on the PATH; on Debian: apt-get install etcd-server")
				: Optional.empty();
	}

	private BenchServer start(Backend backend) {
		return switch (backend) {
			case REDIS -> (this.redis != null) ? RedisServer.at(this.redis) : RedisServer.start();
			case REDIS_REPLICATED -> ReplicatedRedisServer.start();
			case REDIS_FIVE -> FiveRedisServers.start();
			case POSTGRES -> PostgresServer.start();
			case ETCD -> EtcdServer.start();
			case ZOOKEEPER -> ZooKeeperServer.start();
			case MEMORY -> new NoServer();
		};
	}

	List<String> versions() {
		return this.servers.values().stream().map(BenchServer::version).toList();
	}

	@Override
	public synchronized void close() {
		this.closed = true;
		this.servers.values().forEach(BenchServer::close);
		this.servers.clear();
	}

}
