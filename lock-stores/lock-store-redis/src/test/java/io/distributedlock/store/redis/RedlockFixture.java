package io.distributedlock.store.redis;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;

import io.distributedlock.LockKey;
import io.distributedlock.spi.AbandonCommand;
import io.distributedlock.spi.AcquireCommand;
import io.distributedlock.spi.AcquireReply;
import io.distributedlock.spi.AcquireReply.Granted;
import io.distributedlock.spi.AttemptId;
import io.distributedlock.spi.ExtendCommand;
import io.distributedlock.spi.ExtendReply;
import io.distributedlock.spi.ReleaseCommand;
import io.distributedlock.spi.ReleaseReply;
import io.distributedlock.spi.RenewCommand;
import io.distributedlock.spi.RenewReply;
import io.distributedlock.store.redis.server.RedisServerProcess;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

/**
 * Servers of a Redlock, stores on them, and short calls for tests.
 */
final class RedlockFixture implements AutoCloseable {

	static final Duration TTL = Duration.ofSeconds(10);

	static final Duration TIMEOUT = Duration.ofSeconds(2);

	final List<RedisServerProcess> servers;

	private final List<RedlockLockStore> stores = new ArrayList<>();

	RedlockFixture(int servers) {
		this(IntStream.range(0, servers).mapToObj((i) -> RedisServerProcess.start()).toList());
	}

	RedlockFixture(List<RedisServerProcess> servers) {
		this.servers = servers;
	}

	RedisServerProcess server(int index) {
		return this.servers.get(index);
	}

	RedlockLockStore.Builder builder() {
		return RedlockLockStore
			.builder(this.servers.stream().map((server) -> StoreFixture.lettuceFactory(server.port())).toList());
	}

	RedlockLockStore connect() {
		return connect(builder());
	}

	RedlockLockStore connect(RedlockLockStore.Builder builder) {
		RedlockLockStore store = builder.build();
		this.stores.add(store);
		return store;
	}

	static AcquireCommand command(LockKey key, AttemptId attempt, int tokens) {
		return new AcquireCommand(key, attempt, TTL, tokens, false, TIMEOUT);
	}

	static AcquireReply acquire(RedlockLockStore store, LockKey key, AttemptId attempt) {
		return StoreFixture.get(store.acquire(command(key, attempt, 1)));
	}

	/**
	 * Acquires a lock that nobody holds. A majority ends a command, so that a server
	 * which is a step behind may still have the last holder, or one that was refused
	 * elsewhere. So this asks again, as the engine does.
	 */
	static Granted hold(RedlockLockStore store, LockKey key, AttemptId attempt) {
		AcquireReply reply = await().pollDelay(Duration.ZERO)
			.pollInterval(Duration.ofMillis(2))
			.atMost(TIMEOUT)
			.until(() -> acquire(store, key, attempt), Granted.class::isInstance);
		return (Granted) reply;
	}

	static ReleaseReply release(RedlockLockStore store, LockKey key, AttemptId attempt) {
		return release(store, key, attempt, Duration.ZERO);
	}

	static ReleaseReply release(RedlockLockStore store, LockKey key, AttemptId attempt, Duration keepFor) {
		return StoreFixture.get(store.release(new ReleaseCommand(key, attempt, keepFor, TIMEOUT)));
	}

	static RenewReply renew(RedlockLockStore store, LockKey key, AttemptId attempt) {
		return StoreFixture.get(store.renew(List.of(new RenewCommand(key, attempt, TTL, TIMEOUT)))).get(0);
	}

	static ExtendReply extend(RedlockLockStore store, LockKey key, AttemptId attempt, int tokens) {
		return StoreFixture.get(store.extend(new ExtendCommand(key, attempt, TTL, tokens, TIMEOUT)));
	}

	static void abandon(RedlockLockStore store, LockKey key, AttemptId attempt) {
		StoreFixture.get(store.abandon(new AbandonCommand(key, attempt, TIMEOUT)));
	}

	/**
	 * Returns what a server has for a lock, empty if nothing.
	 */
	String record(int server, LockKey key) {
		return server(server).command("GET", "lock:l:" + key.id());
	}

	/**
	 * Waits until all servers have a record of a lock. A majority ends a command, so that
	 * any of the others, and not only the last one, may get it after its answer.
	 */
	void awaitEverywhere(LockKey key) {
		await().untilAsserted(() -> assertThat(IntStream.range(0, this.servers.size()))
			.allSatisfy((server) -> assertThat(record(server, key)).as("record on server " + server).isNotEmpty()));
	}

	long mark(int server) {
		String mark = server(server).command("GET", "lock:mark");
		return mark.isEmpty() ? 0 : Long.parseLong(mark);
	}

	@Override
	public void close() {
		this.stores.forEach(RedlockLockStore::close);
		this.servers.forEach(RedisServerProcess::close);
	}

}
