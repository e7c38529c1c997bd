package io.distributedlock.benchmarks.peer;

import java.util.function.BiFunction;

import org.jspecify.annotations.Nullable;
import org.redisson.Redisson;
import org.redisson.api.RLock;
import org.redisson.api.RedissonClient;
import org.redisson.config.Config;

/**
 * Redisson, as its page "Locks and synchronizers" shows it: {@code getLock(name).lock()}
 * without a lease time, which switches the watchdog on. All settings are the defaults of
 * {@code useSingleServer()}, but one: every thread that waits for a fair lock has a
 * subscription of its own, and with the default limit of 250 Redisson fails at 256
 * threads and asks for more.
 */
final class RedissonPeer implements PeerClient {

	private static final int SUBSCRIPTIONS_PER_CONNECTION = 10;

	private final RedissonClient redisson;

	private final String prefix;

	private final BiFunction<RedissonClient, String, ? extends RLock> kind;

	RedissonPeer(Address server, String prefix, BiFunction<RedissonClient, String, ? extends RLock> kind) {
		Config config = new Config();
		config.useSingleServer()
			.setAddress("redis://" + server)
			.setSubscriptionsPerConnection(SUBSCRIPTIONS_PER_CONNECTION);
		this.redisson = Redisson.create(config);
		this.prefix = prefix;
		this.kind = kind;
	}

	@Override
	public HeldLock lock(String key) {
		RLock lock = this.kind.apply(this.redisson, this.prefix + key);
		lock.lock();
		return lock::unlock;
	}

	@Override
	public @Nullable HeldLock tryLock(String key) {
		RLock lock = this.kind.apply(this.redisson, this.prefix + key);
		return lock.tryLock() ? lock::unlock : null;
	}

	@Override
	public void close() {
		this.redisson.shutdown();
	}

}
