package io.distributedlock.benchmarks.server;

import java.util.List;
import java.util.stream.Stream;

import io.distributedlock.benchmarks.peer.Address;

/**
 * Five Redis servers that know nothing of each other. Their counters are added up.
 */
public final class FiveRedisServers implements BenchServer {

	private static final int COUNT = 5;

	private final List<RedisServer> servers;

	private FiveRedisServers(List<RedisServer> servers) {
		this.servers = servers;
	}

	/**
	 * Starts them.
	 * @return the servers
	 */
	public static FiveRedisServers start() {
		return new FiveRedisServers(Stream.generate(RedisServer::start).limit(COUNT).toList());
	}

	@Override
	public Address address() {
		return this.servers.get(0).address();
	}

	@Override
	public List<Address> addresses() {
		return this.servers.stream().map(RedisServer::address).toList();
	}

	@Override
	public String version() {
		return COUNT + " x " + this.servers.get(0).version();
	}

	@Override
	public void clear() {
		this.servers.forEach(RedisServer::clear);
	}

	@Override
	public void learn() {
		// All of them get the same commands.
		this.servers.get(0).learn();
		this.servers.forEach((server) -> server.learnFrom(this.servers.get(0)));
	}

	@Override
	public Counters counters() {
		return this.servers.stream().map(RedisServer::counters).reduce(Counters::plus).orElseThrow();
	}

	@Override
	public long ping() {
		return this.servers.get(0).ping();
	}

	@Override
	public void close() {
		this.servers.forEach(RedisServer::close);
	}

}
