package io.distributedlock.benchmarks.lease;

import java.time.Duration;

import io.distributedlock.benchmarks.peer.Address;
import io.distributedlock.benchmarks.peer.HeldLock;
import io.distributedlock.benchmarks.peer.PeerClient;
import org.jspecify.annotations.Nullable;
import org.redisson.Redisson;
import org.redisson.api.RLock;
import org.redisson.api.RedissonClient;
import org.redisson.config.Config;

/**
 * Redisson's {@code RLock} with {@code lockWatchdogTimeout} as its ttl; the watchdog
 * renews every third of it, 100 locks per script, which is the default.
 */
final class RedissonLeases implements PeerClient {

	private final RedissonClient redisson;

	private final String prefix;

	RedissonLeases(Address server, String prefix, Duration ttl) {
		Config config = new Config();
		config.setLockWatchdogTimeout(ttl.toMillis());
		config.useSingleServer().setAddress("redis://" + server);
		this.redisson = Redisson.create(config);
		this.prefix = prefix;
	}

	@Override
	public HeldLock lock(String key) {
		RLock lock = this.redisson.getLock(this.prefix + key);
		lock.lock();
		return new Held(lock);
	}

	@Override
	public @Nullable HeldLock tryLock(String key) {
		RLock lock = this.redisson.getLock(this.prefix + key);
		return lock.tryLock() ? new Held(lock) : null;
	}

	@Override
	public void close() {
		this.redisson.shutdown();
	}

	private record Held(RLock lock) implements CheckedLock {

		@Override
		public void unlock() {
			this.lock.unlock();
		}

		// Redisson keeps no record of its own of what it holds: both questions go to the
		// server.
		@Override
		public boolean isHeld() {
			return isStored();
		}

		@Override
		public boolean isStored() {
			return this.lock.isHeldByCurrentThread();
		}

	}

}
