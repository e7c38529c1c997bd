package io.distributedlock.benchmarks.server;

import java.time.Duration;
import java.util.concurrent.locks.LockSupport;

import io.distributedlock.benchmarks.peer.Address;
import io.distributedlock.store.redis.server.RedisServerProcess;

/**
 * Redis with one replica, both without persistence. Counters are those of the primary.
 */
public final class ReplicatedRedisServer implements BenchServer {

	private static final Duration LONGEST_START = Duration.ofSeconds(20);

	private static final long PAUSE = Duration.ofMillis(50).toNanos();

	private final RedisServer primary;

	private final RedisServerProcess replica;

	private ReplicatedRedisServer(RedisServer primary) {
		this.primary = primary;
		Address address = primary.address();
		this.replica = RedisServerProcess.start("--replicaof", address.host(), String.valueOf(address.port()));
	}

	/**
	 * Starts both.
	 * @return the servers, once the replica has caught up
	 */
	public static ReplicatedRedisServer start() {
		ReplicatedRedisServer servers = new ReplicatedRedisServer(RedisServer.start("--repl-diskless-sync-delay", "0"));
		long end = System.nanoTime() + LONGEST_START.toNanos();
		while (!servers.primary.hasReplica()) {
			if (System.nanoTime() > end) {
				servers.close();
				throw new IllegalStateException("The replica of Redis has not caught up");
			}
			LockSupport.parkNanos(PAUSE);
		}
		return servers;
	}

	@Override
	public Address address() {
		return this.primary.address();
	}

	@Override
	public String version() {
		return this.primary.version() + " with a replica";
	}

	@Override
	public void clear() {
		this.primary.clear();
	}

	@Override
	public void learn() {
		this.primary.learn();
	}

	@Override
	public Counters counters() {
		return this.primary.counters();
	}

	@Override
	public long ping() {
		return this.primary.ping();
	}

	@Override
	public void close() {
		this.replica.close();
		this.primary.close();
	}

}
