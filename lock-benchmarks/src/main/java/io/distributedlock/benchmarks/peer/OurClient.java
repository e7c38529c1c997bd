package io.distributedlock.benchmarks.peer;

import java.time.Duration;

import io.distributedlock.Lease;
import io.distributedlock.LockRequest;
import io.distributedlock.engine.LockEngine;
import io.distributedlock.store.redis.RedisLockStore;
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

	private final LettuceConnectionFactory factory;

	private final LockEngine engine;

	/**
	 * Connects.
	 * @param handoffLeases how many leases in a row one JVM may hand from thread to
	 * thread; the default is 64, and 1 lets the store decide every time
	 */
	OurClient(Address server, String prefix, int handoffLeases) {
		this.factory = SpringRedis.connect(server);
		RedisLockStore store = RedisLockStore.builder(this.factory).prefix(prefix).build();
		store.check();
		this.engine = LockEngine.builder().store(store).handoff(handoffLeases, Duration.ofMillis(50)).build();
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
		this.factory.destroy();
	}

}
