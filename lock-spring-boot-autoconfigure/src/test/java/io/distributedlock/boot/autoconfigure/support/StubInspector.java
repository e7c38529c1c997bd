package io.distributedlock.boot.autoconfigure.support;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;

import io.distributedlock.LockInspector;
import io.distributedlock.LockInspector.StoredLock.State;
import io.distributedlock.LockKey;
import io.distributedlock.LockStoreException;
import org.jspecify.annotations.Nullable;

/**
 * An inspector over locks that a test makes up. It has the stores {@code redis}, and
 * {@code broken}, which gives no answer.
 */
public final class StubInspector implements LockInspector {

	private static final List<String> STORES = List.of("redis", "broken");

	public volatile List<String> stores = STORES;

	public final List<HeldLock> held = new ArrayList<>();

	public final List<WaitedLock> waiting = new ArrayList<>();

	public final List<LockStatistics> statistics = new ArrayList<>();

	public final List<HotLock> hotKeys = new ArrayList<>();

	public final Map<LockKey, StoredLock> stored = new ConcurrentHashMap<>();

	public void clear() {
		this.stores = STORES;
		this.held.clear();
		this.waiting.clear();
		this.statistics.clear();
		this.hotKeys.clear();
		this.stored.clear();
	}

	/**
	 * Another instance holds the lock with tokens 10 to 20, and one waits.
	 * @param key which lock
	 */
	public void heldElsewhere(LockKey key) {
		this.stored.put(key, new StoredLock(key, "redis", State.HELD, "app-2", 10, 20, Duration.ofSeconds(25),
				List.of(new QueuedInstance("app-3", Instant.parse("2026-11-20T12:00:00Z"), true))));
	}

	public void heldHere(LockKey key, long token) {
		this.held
			.add(new HeldLock(key, "redis", "worker-1", token, Duration.ofSeconds(5), Duration.ofSeconds(25), 1, 3));
	}

	@Override
	public List<String> stores() {
		return this.stores;
	}

	@Override
	public List<HeldLock> held() {
		return List.copyOf(this.held);
	}

	@Override
	public List<WaitedLock> waiting() {
		return List.copyOf(this.waiting);
	}

	@Override
	public List<LockStatistics> statistics() {
		return List.copyOf(this.statistics);
	}

	@Override
	public List<HotLock> hotKeys() {
		return List.copyOf(this.hotKeys);
	}

	@Override
	public Optional<StoredLock> find(LockKey key, @Nullable String store) {
		check(key, store);
		return Optional.ofNullable(this.stored.get(key)).filter((lock) -> store == null || lock.store().equals(store));
	}

	@Override
	public boolean forceRelease(LockKey key, @Nullable String store, long fencingToken) {
		check(key, store);
		StoredLock lock = this.stored.get(key);
		if (lock == null || lock.state() != State.HELD || fencingToken < lock.firstToken()
				|| fencingToken > lock.lastToken()) {
			return false;
		}
		this.stored.remove(key);
		return true;
	}

	private static void check(LockKey key, @Nullable String store) {
		if ("broken".equals(store)) {
			throw new LockStoreException(key, "Store 'broken' gave no answer", null);
		}
	}

}
