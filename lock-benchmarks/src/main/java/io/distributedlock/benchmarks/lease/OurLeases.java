package io.distributedlock.benchmarks.lease;

import java.time.Duration;

import io.distributedlock.Lease;
import io.distributedlock.LockInspector.StoredLock;
import io.distributedlock.LockRequest;
import io.distributedlock.benchmarks.peer.Address;
import io.distributedlock.benchmarks.peer.HeldLock;
import io.distributedlock.benchmarks.peer.PeerClient;
import io.distributedlock.engine.LockEngine;
import io.distributedlock.store.redis.RedisLockStore;
import org.jspecify.annotations.Nullable;

import org.springframework.data.redis.connection.RedisStandaloneConfiguration;
import org.springframework.data.redis.connection.lettuce.LettuceConnectionFactory;

/**
 * This library with a ttl, put together as its auto-configuration does it. The lease is
 * renewed every third of the ttl, as always.
 */
final class OurLeases implements PeerClient {

	private static final String NAME = "bench";

	private static final Duration WAIT_TIME = Duration.ofMinutes(10);

	private final LettuceConnectionFactory factory;

	private final LockEngine engine;

	private final Duration ttl;

	OurLeases(Address server, String prefix, Duration ttl) {
		this.ttl = ttl;
		this.factory = new LettuceConnectionFactory(new RedisStandaloneConfiguration(server.host(), server.port()));
		this.factory.afterPropertiesSet();
		this.factory.start();
		RedisLockStore store = RedisLockStore.builder(this.factory).prefix(prefix).build();
		store.check();
		this.engine = LockEngine.builder().store(store).build();
	}

	@Override
	public HeldLock lock(String key) {
		return new Held(this.engine.acquire(request(key).withWaitTime(WAIT_TIME)));
	}

	@Override
	public @Nullable HeldLock tryLock(String key) {
		return this.engine.tryAcquire(request(key).withWaitTime(Duration.ZERO)).map(Held::new).orElse(null);
	}

	Lease acquire(String key, Duration waitTime, boolean shed) {
		return this.engine.acquire(request(key).withWaitTime(waitTime).withShed(shed));
	}

	private LockRequest request(String key) {
		return LockRequest.of(NAME, key).withTtl(this.ttl);
	}

	@Override
	public void close() {
		this.engine.close();
		this.factory.destroy();
	}

	private final class Held implements CheckedLock {

		private final Lease lease;

		Held(Lease lease) {
			this.lease = lease;
		}

		@Override
		public void unlock() {
			this.lease.close();
		}

		@Override
		public boolean isHeld() {
			return this.lease.isHeld();
		}

		@Override
		public boolean isStored() {
			StoredLock stored = OurLeases.this.engine.find(this.lease.key(), null).orElse(null);
			return stored != null && stored.state() == StoredLock.State.HELD
					&& stored.firstToken() <= this.lease.fencingToken()
					&& this.lease.fencingToken() <= stored.lastToken();
		}

	}

}
