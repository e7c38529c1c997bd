package io.distributedlock.benchmarks.peer;

import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

import io.lettuce.core.RedisClient;
import io.lettuce.core.RedisURI;
import io.lettuce.core.ScriptOutputType;
import io.lettuce.core.SetArgs;
import io.lettuce.core.api.StatefulRedisConnection;
import io.lettuce.core.api.sync.RedisCommands;
import org.jspecify.annotations.Nullable;

/**
 * The least that a lock on Redis can cost: {@code SET key random NX PX 30000} and a
 * compare-and-delete script, on one shared connection. No renewal, no queue, no token; a
 * key that is taken is tried again every millisecond.
 */
final class RawClient implements PeerClient {

	private static final String COMPARE_AND_DELETE = """
			if redis.call('get', KEYS[1]) == ARGV[1] then
			  return redis.call('del', KEYS[1])
			end
			return 0
			""";

	private static final long PAUSE = TimeUnit.MILLISECONDS.toNanos(1);

	private static final SetArgs TAKE = SetArgs.Builder.nx().px(30_000);

	private final String prefix;

	private final RedisClient client;

	private final StatefulRedisConnection<String, String> connection;

	private final RedisCommands<String, String> redis;

	private final String script;

	RawClient(Address server, String prefix) {
		this.prefix = prefix;
		this.client = RedisClient.create(RedisURI.create(server.host(), server.port()));
		this.connection = this.client.connect();
		this.redis = this.connection.sync();
		this.script = this.redis.scriptLoad(COMPARE_AND_DELETE);
	}

	@Override
	public HeldLock lock(String key) {
		HeldLock held = tryLock(key);
		while (held == null) {
			LockSupport.parkNanos(PAUSE);
			held = tryLock(key);
		}
		return held;
	}

	@Override
	public @Nullable HeldLock tryLock(String key) {
		String name = this.prefix + key;
		ThreadLocalRandom random = ThreadLocalRandom.current();
		String owner = Long.toHexString(random.nextLong()) + Long.toHexString(random.nextLong());
		return (this.redis.set(name, owner, TAKE) != null) ? () -> release(name, owner) : null;
	}

	private void release(String name, String owner) {
		Long deleted = this.redis.evalsha(this.script, ScriptOutputType.INTEGER, new String[] { name }, owner);
		if (deleted != 1) {
			throw new IllegalStateException(name + " was lost");
		}
	}

	@Override
	public void close() {
		this.connection.close();
		this.client.shutdown();
	}

}
