package io.distributedlock.benchmarks.lease;

import java.time.Duration;
import java.util.concurrent.locks.Lock;

import io.distributedlock.benchmarks.peer.Address;
import io.distributedlock.benchmarks.peer.HeldLock;
import io.distributedlock.benchmarks.peer.PeerClient;
import org.jspecify.annotations.Nullable;

import org.springframework.data.redis.connection.RedisStandaloneConfiguration;
import org.springframework.data.redis.connection.lettuce.LettuceConnectionFactory;
import org.springframework.integration.redis.util.RedisLockRegistry;
import org.springframework.integration.redis.util.RedisLockRegistry.RedisLockType;
import org.springframework.scheduling.concurrent.ThreadPoolTaskScheduler;

/**
 * Spring Integration's {@code RedisLockRegistry} (pub-sub) with {@code expireAfter} as
 * its ttl, and the renewal that its page describes ({@code renewalTaskScheduler}), since
 * without it a lock ends after its ttl even if the holder lives.
 */
final class SpringIntegrationLeases implements PeerClient {

	private final LettuceConnectionFactory factory;

	private final RedisLockRegistry registry;

	private final ThreadPoolTaskScheduler scheduler = new ThreadPoolTaskScheduler();

	SpringIntegrationLeases(Address server, String prefix, Duration ttl) {
		this.factory = new LettuceConnectionFactory(new RedisStandaloneConfiguration(server.host(), server.port()));
		this.factory.afterPropertiesSet();
		this.factory.start();
		this.scheduler.setDaemon(true);
		this.scheduler.afterPropertiesSet();
		this.registry = new RedisLockRegistry(this.factory, prefix, ttl);
		this.registry.setRedisLockType(RedisLockType.PUB_SUB_LOCK);
		this.registry.setRenewalTaskScheduler(this.scheduler);
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
		this.scheduler.destroy();
		this.factory.destroy();
	}

}
