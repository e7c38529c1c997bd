package io.distributedlock.benchmarks.peer;

import java.time.Duration;
import java.util.concurrent.locks.Lock;

import org.jspecify.annotations.Nullable;

import org.springframework.data.redis.connection.lettuce.LettuceConnectionFactory;
import org.springframework.integration.redis.util.RedisLockRegistry;
import org.springframework.integration.redis.util.RedisLockRegistry.RedisLockType;

/**
 * Spring Integration's {@code RedisLockRegistry}, as its page "Redis Lock Registry" shows
 * it.
 */
final class SpringIntegrationRedisPeer implements PeerClient {

	private static final Duration EXPIRE_AFTER = Duration.ofSeconds(30);

	// The default. Without the call 7.1.0 has only 256 local locks, and keys that share
	// one block each other; with it there are 65,536.
	private static final int CAPACITY = 100_000;

	private final LettuceConnectionFactory factory;

	private final RedisLockRegistry registry;

	SpringIntegrationRedisPeer(Address server, String prefix, RedisLockType type) {
		this.factory = SpringRedis.connect(server);
		this.registry = new RedisLockRegistry(this.factory, prefix, EXPIRE_AFTER);
		this.registry.setRedisLockType(type);
		this.registry.setCacheCapacity(CAPACITY);
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
		this.registry.destroy();
		this.factory.destroy();
	}

}
