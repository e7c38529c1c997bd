package io.distributedlock.benchmarks.peer;

import java.time.Duration;
import java.util.concurrent.locks.Lock;

import org.jspecify.annotations.Nullable;

import org.springframework.data.redis.connection.lettuce.LettuceConnectionFactory;
import org.springframework.integration.jdbc.lock.DefaultLockRepository;
import org.springframework.integration.jdbc.lock.JdbcLockRegistry;
import org.springframework.integration.redis.util.RedisLockRegistry;
import org.springframework.integration.redis.util.RedisLockRegistry.RedisLockType;
import org.springframework.integration.support.locks.LockRegistry;
import org.springframework.jdbc.support.JdbcTransactionManager;
import org.springframework.scheduling.concurrent.ThreadPoolTaskScheduler;

/**
 * Spring Integration's lock registries, as its pages "Redis Lock Registry" and "JDBC Lock
 * Registry" show them.
 */
public final class SpringIntegrationPeer implements PeerClient {

	private static final Duration EXPIRE_AFTER = Duration.ofSeconds(30);

	// The default. Without the call 7.1.0 has only 256 local locks, and keys that share
	// one block each other; with it there are 65,536.
	private static final int CAPACITY = 100_000;

	private final LockRegistry<?> registry;

	private final Runnable closing;

	private SpringIntegrationPeer(LockRegistry<?> registry, Runnable closing) {
		this.registry = registry;
		this.closing = closing;
	}

	static PeerClient redis(Address server, String prefix, RedisLockType type) {
		LettuceConnectionFactory factory = SpringRedis.connect(server);
		RedisLockRegistry registry = new RedisLockRegistry(factory, prefix, EXPIRE_AFTER);
		registry.setRedisLockType(type);
		registry.setCacheCapacity(CAPACITY);
		return new SpringIntegrationPeer(registry, () -> {
			registry.destroy();
			factory.destroy();
		});
	}

	/** With the insert for PostgreSQL that its page recommends. */
	static PeerClient jdbc(Address server, String prefix) {
		Database database = Database.connect(server);
		DefaultLockRepository repository = new DefaultLockRepository(database.dataSource());
		repository.setRegion(prefix);
		repository.setInsertQuery(repository.getInsertQuery() + " ON CONFLICT DO NOTHING");
		repository.setTransactionManager(new JdbcTransactionManager(database.dataSource()));
		repository.afterPropertiesSet();
		repository.afterSingletonsInstantiated();
		repository.start();
		JdbcLockRegistry registry = new JdbcLockRegistry(repository, EXPIRE_AFTER);
		registry.setCacheCapacity(CAPACITY);
		return new SpringIntegrationPeer(registry, database::close);
	}

	/**
	 * Connects to Redis (pub-sub) with the renewal that its page describes
	 * ({@code renewalTaskScheduler}), since without it a lock ends after its ttl even if
	 * the holder lives.
	 * @param server the server
	 * @param prefix what the names of all keys begin with
	 * @param ttl how long a lock lives without renewal
	 * @return the client
	 */
	public static PeerClient renewing(Address server, String prefix, Duration ttl) {
		LettuceConnectionFactory factory = SpringRedis.connect(server);
		ThreadPoolTaskScheduler scheduler = new ThreadPoolTaskScheduler();
		scheduler.setDaemon(true);
		scheduler.afterPropertiesSet();
		RedisLockRegistry registry = new RedisLockRegistry(factory, prefix, ttl);
		registry.setRedisLockType(RedisLockType.PUB_SUB_LOCK);
		registry.setRenewalTaskScheduler(scheduler);
		return new SpringIntegrationPeer(registry, () -> {
			registry.destroy();
			scheduler.destroy();
			factory.destroy();
		});
	}

	@Override
	public HeldLock lock(String key) {
		Lock lock = this.registry.obtain(key);
		lock.lock();
		return lock::unlock;
	}

	@Override
	public @Nullable HeldLock tryLock(String key) {
		Lock lock = this.registry.obtain(key);
		return lock.tryLock() ? lock::unlock : null;
	}

	@Override
	public void close() {
		this.closing.run();
	}

}
