package io.distributedlock.benchmarks.peer;

import java.time.Duration;
import java.util.List;

import io.distributedlock.Lease;
import io.distributedlock.LockRequest;
import io.distributedlock.engine.LockEngine;
import io.distributedlock.spi.LockStore;
import io.distributedlock.store.etcd.EtcdLockStore;
import io.distributedlock.store.jdbc.JdbcLockStore;
import io.distributedlock.store.redis.RedisLockStore;
import io.distributedlock.store.redis.RedlockLockStore;
import io.distributedlock.store.zookeeper.ZooKeeperLockStore;
import io.distributedlock.test.InMemoryLockServer;
import io.etcd.jetcd.Client;
import org.jspecify.annotations.Nullable;

import org.springframework.data.redis.connection.lettuce.LettuceConnectionFactory;

/**
 * This library, put together as its auto-configuration does it, with the default
 * settings. Every call makes its request, as the interceptor does.
 */
final class OurClient implements PeerClient {

	/** The default. */
	static final int HANDOFF = 64;

	private static final String NAME = "bench";

	// Nobody should give up in a benchmark.
	private static final Duration WAIT_TIME = Duration.ofMinutes(10);

	private static final Duration HANDOFF_TIME = Duration.ofMillis(50);

	private final LockEngine engine;

	private final Runnable closing;

	/**
	 * Makes a client.
	 * @param store where locks are kept; it is closed with this client
	 * @param handoffLeases how many leases in a row one JVM may hand from thread to
	 * thread; 1 lets the store decide every time
	 * @param closing closes what the store uses
	 */
	private OurClient(LockStore store, int handoffLeases, Runnable closing) {
		this.engine = LockEngine.builder().store(store).handoff(handoffLeases, HANDOFF_TIME).build();
		this.closing = closing;
	}

	static OurClient redis(Address server, String prefix, int handoffLeases) {
		LettuceConnectionFactory factory = SpringRedis.connect(server);
		RedisLockStore store = RedisLockStore.builder(factory).prefix(prefix).build();
		store.check();
		return new OurClient(store, handoffLeases, factory::destroy);
	}

	static OurClient replicatedRedis(Address server, String prefix) {
		LettuceConnectionFactory factory = SpringRedis.connect(server);
		RedisLockStore store = RedisLockStore.builder(factory).prefix(prefix).waitReplicas(1).build();
		store.check();
		return new OurClient(store, HANDOFF, factory::destroy);
	}

	static OurClient redlock(List<Address> servers, String prefix) {
		List<LettuceConnectionFactory> factories = servers.stream().map(SpringRedis::connect).toList();
		RedlockLockStore store = RedlockLockStore.builder(factories).prefix(prefix).build();
		store.check();
		return new OurClient(store, HANDOFF, () -> factories.forEach(LettuceConnectionFactory::destroy));
	}

	static OurClient jdbc(Address server, String prefix) {
		Database database = Database.connect(server);
		// Tables are emptied before each run, so the prefix is not needed.
		JdbcLockStore store = JdbcLockStore.builder(database.dataSource()).table(Database.TABLE).build();
		store.check();
		return new OurClient(store, HANDOFF, database::close);
	}

	static OurClient etcd(Address server, String prefix) {
		Client client = Client.builder().endpoints("http://" + server).build();
		EtcdLockStore store = EtcdLockStore.builder(client).prefix("/" + prefix + "/").build();
		store.check();
		return new OurClient(store, HANDOFF, client::close);
	}

	static OurClient zooKeeper(Address server, String prefix) {
		ZooKeeperLockStore store = ZooKeeperLockStore.builder(server.toString())
			.namespace(prefix.replace(":", ""))
			.build();
		store.check();
		return new OurClient(store, HANDOFF, () -> {
		});
	}

	static OurClient memory() {
		return new OurClient(InMemoryLockServer.create().connect(NAME), HANDOFF, () -> {
		});
	}

	@Override
	public HeldLock lock(String key) {
		return held(this.engine.acquire(LockRequest.of(NAME, key).withWaitTime(WAIT_TIME)));
	}

	@Override
	public @Nullable HeldLock tryLock(String key) {
		return this.engine.tryAcquire(LockRequest.of(NAME, key).withWaitTime(Duration.ZERO))
			.map(OurClient::held)
			.orElse(null);
	}

	private static HeldLock held(Lease lease) {
		return lease::close;
	}

	@Override
	public void close() {
		this.engine.close();
		this.closing.run();
	}

}
