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

	private static final String NAME = "bench";

	// Nobody should give up in a benchmark.
	private static final Duration WAIT_TIME = Duration.ofMinutes(10);

	private final LockEngine engine;

	private final boolean fair;

	private final Runnable closing;

	/**
	 * Makes a client.
	 * @param store where locks are kept; it is closed with this client
	 * @param fair whether the lock is given in strict order
	 * @param closing closes what the store uses
	 */
	private OurClient(LockStore store, boolean fair, Runnable closing) {
		this.engine = LockEngine.builder().store(store).build();
		this.fair = fair;
		this.closing = closing;
	}

	static OurClient redis(Address server, String prefix, boolean fair) {
		LettuceConnectionFactory factory = SpringRedis.connect(server);
		RedisLockStore store = RedisLockStore.builder(factory).prefix(prefix).build();
		store.check();
		return new OurClient(store, fair, factory::destroy);
	}

	static OurClient replicatedRedis(Address server, String prefix) {
		LettuceConnectionFactory factory = SpringRedis.connect(server);
		RedisLockStore store = RedisLockStore.builder(factory).prefix(prefix).waitReplicas(1).build();
		store.check();
		return new OurClient(store, false, factory::destroy);
	}

	static OurClient redlock(List<Address> servers, String prefix) {
		List<LettuceConnectionFactory> factories = servers.stream().map(SpringRedis::connect).toList();
		RedlockLockStore store = RedlockLockStore.builder(factories).prefix(prefix).build();
		store.check();
		return new OurClient(store, false, () -> factories.forEach(LettuceConnectionFactory::destroy));
	}

	static OurClient jdbc(Address server, String prefix) {
		Database database = Database.connect(server);
		// Tables are emptied before each run, so the prefix is not needed.
		JdbcLockStore store = JdbcLockStore.builder(database.dataSource()).table(Database.TABLE).build();
		store.check();
		return new OurClient(store, false, database::close);
	}

	static OurClient etcd(Address server, String prefix) {
		Client client = Client.builder().endpoints("http://" + server).build();
		EtcdLockStore store = EtcdLockStore.builder(client).prefix("/" + prefix + "/").build();
		store.check();
		return new OurClient(store, false, client::close);
	}

	static OurClient zooKeeper(Address server, String prefix) {
		ZooKeeperLockStore store = ZooKeeperLockStore.builder(server.toString())
			.namespace(prefix.replace(":", ""))
			.build();
		store.check();
		return new OurClient(store, false, () -> {
		});
	}

	static OurClient memory() {
		return new OurClient(InMemoryLockServer.create().connect(NAME), false, () -> {
		});
	}

	@Override
	public HeldLock lock(String key) {
		return held(this.engine.acquire(LockRequest.of(NAME, key).withFair(this.fair).withWaitTime(WAIT_TIME)));
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
