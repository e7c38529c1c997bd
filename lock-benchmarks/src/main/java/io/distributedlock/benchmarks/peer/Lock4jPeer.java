package io.distributedlock.benchmarks.peer;

import java.util.List;

import com.baomidou.lock.LockInfo;
import com.baomidou.lock.LockTemplate;
import com.baomidou.lock.executor.RedisTemplateLockExecutor;
import com.baomidou.lock.spring.boot.autoconfigure.Lock4jProperties;
import org.jspecify.annotations.Nullable;

import org.springframework.data.redis.connection.lettuce.LettuceConnectionFactory;
import org.springframework.data.redis.core.StringRedisTemplate;

/**
 * Lock4j with its {@code RedisTemplateLockExecutor}, put together as its
 * auto-configuration for Spring Boot 2 does it; used through {@code LockTemplate}, as the
 * section "manual" of its README shows. Retry interval (100 ms) and expiry (30 s) are the
 * defaults.
 */
final class Lock4jPeer implements PeerClient {

	// Nobody should give up in a benchmark.
	private static final long ACQUIRE_TIMEOUT = 600_000;

	private final LettuceConnectionFactory factory;

	private final LockTemplate template;

	private final long expire;

	private final String prefix;

	Lock4jPeer(Address server, String prefix) {
		this.factory = SpringRedis.connect(server);
		this.prefix = prefix;
		Lock4jProperties properties = new Lock4jProperties();
		this.expire = properties.getExpire();
		this.template = new LockTemplate();
		this.template.setProperties(properties);
		this.template
			.setExecutors(List.of(new RedisTemplateLockExecutor(new StringRedisTemplate(this.factory), properties)));
		try {
			this.template.afterPropertiesSet();
		}
		catch (Exception ex) {
			throw new IllegalStateException(ex);
		}
	}

	@Override
	public HeldLock lock(String key) {
		HeldLock held = lock(key, ACQUIRE_TIMEOUT);
		if (held == null) {
			throw new IllegalStateException("Lock4j gave up waiting for " + key);
		}
		return held;
	}

	@Override
	public @Nullable HeldLock tryLock(String key) {
		// One try; after a refusal it sleeps for one retry interval all the same.
		return lock(key, 0);
	}

	private @Nullable HeldLock lock(String key, long acquireTimeout) {
		LockInfo info = this.template.lock(this.prefix + key, this.expire, acquireTimeout);
		return (info != null) ? () -> this.template.releaseLock(info) : null;
	}

	@Override
	public void close() {
		this.factory.destroy();
	}

}
