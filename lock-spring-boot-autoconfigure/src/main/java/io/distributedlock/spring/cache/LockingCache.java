package io.distributedlock.spring.cache;

import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Supplier;

import io.distributedlock.Lease;
import io.distributedlock.LockException;
import io.distributedlock.LockNotAcquiredException;
import io.distributedlock.LockNotAcquiredException.Reason;
import io.distributedlock.LockRequest;
import io.distributedlock.LockTemplate;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import org.springframework.cache.Cache;

/**
 * A cache that is shared by several instances, whose values are loaded by one of them at
 * a time: what {@code @Cacheable(sync = true)} promises within one instance, for all.
 * <p>
 * Only a caller that finds no value takes the lock of the key. Under it the shared cache
 * is asked again, since another instance may have loaded the value meanwhile; it is
 * loaded, put into the cache, and the lock is released. What cached values cost does not
 * change.
 * <p>
 * The lock saves work; it protects nothing. So a lock that is lost while the value is
 * loaded is no error: the value is as good as any.
 */
final class LockingCache implements Cache {

	private static final Logger logger = LoggerFactory.getLogger(LockingCache.class);

	private static final long WARNING_PAUSE = 60_000_000_000L;

	private final Cache target;

	private final LockTemplate locks;

	private final String lockName;

	private final OnLockFailure onFailure;

	private final Executor executor;

	private final AtomicLong lastWarning = new AtomicLong(System.nanoTime() - WARNING_PAUSE);

	/**
	 * Makes a decorator.
	 * @param target the cache, shared by all instances
	 * @param executor runs loaders of asynchronous methods
	 */
	LockingCache(Cache target, LockTemplate locks, String lockName, OnLockFailure onFailure, Executor executor) {
		this.target = target;
		this.locks = locks;
		this.lockName = lockName;
		this.onFailure = onFailure;
		this.executor = executor;
	}

	Cache target() {
		return this.target;
	}

	private LockRequest request(Object key) {
		return LockRequest.of(this.lockName, getName(), CacheKeyText.of(getName(), key));
	}

	@Override
	@SuppressWarnings("unchecked")
	public <T> @Nullable T get(Object key, Callable<T> valueLoader) {
		ValueWrapper cached = this.target.get(key);
		if (cached != null) {
			return (T) cached.get();
		}
		Lease lease;
		try {
			lease = this.locks.acquire(request(key));
		}
		catch (LockException ex) {
			if (!loadsWithout(ex)) {
				throw ex;
			}
			return this.target.get(key, valueLoader);
		}
		try {
			return this.target.get(key, valueLoader);
		}
		finally {
			lease.release();
		}
	}

	@Override
	@SuppressWarnings("unchecked")
	public <T> CompletableFuture<T> retrieve(Object key, Supplier<CompletableFuture<T>> valueLoader) {
		CompletableFuture<T> result = new CompletableFuture<>();
		CompletableFuture<?> cached = this.target.retrieve(key);
		if (cached == null) {
			load(key, valueLoader, result);
			return result;
		}
		cached.whenComplete((found, thrown) -> {
			if (thrown != null) {
				result.completeExceptionally(thrown);
			}
			else if (found == null) {
				try {
					load(key, valueLoader, result);
				}
				catch (RuntimeException ex) {
					result.completeExceptionally(ex);
				}
			}
			else {
				result.complete((T) ((found instanceof ValueWrapper wrapper) ? wrapper.get() : found));
			}
		});
		return result;
	}

	/**
	 * Loads under the lock, without blocking a thread while it waits. Cancelling the
	 * result gives up waiting; what is being loaded already goes into the cache all the
	 * same.
	 */
	private <T> void load(Object key, Supplier<CompletableFuture<T>> loader, CompletableFuture<T> result) {
		CompletableFuture<Lease> acquiring = this.locks.acquireAsync(request(key));
		result.whenComplete((value, thrown) -> acquiring.cancel(false));
		acquiring.whenComplete((lease, thrown) -> {
			if (lease == null && result.isDone()) {
				return;
			}
			try {
				// What the loader does may block, and the engine's threads are few.
				this.executor.execute(() -> load(key, loader, result, lease, thrown));
			}
			catch (RuntimeException ex) {
				release(lease);
				result.completeExceptionally(ex);
			}
		});
	}

	private <T> void load(Object key, Supplier<CompletableFuture<T>> loader, CompletableFuture<T> result,
			@Nullable Lease lease, @Nullable Throwable refused) {
		if (result.isDone()) {
			release(lease);
			return;
		}
		if (lease == null && !(cause(refused) instanceof LockException failure && loadsWithout(failure))) {
			result.completeExceptionally(cause(refused));
			return;
		}
		CompletableFuture<T> loading;
		try {
			loading = this.target.retrieve(key, loader);
		}
		catch (Throwable ex) {
			loading = CompletableFuture.failedFuture(ex);
		}
		loading.whenComplete((value, thrown) -> {
			release(lease);
			if (thrown != null) {
				result.completeExceptionally(thrown);
			}
			else {
				result.complete(value);
			}
		});
	}

	private static void release(@Nullable Lease lease) {
		if (lease != null) {
			lease.releaseAsync();
		}
	}

	private static Throwable cause(@Nullable Throwable thrown) {
		Throwable cause = (thrown instanceof CompletionException) ? thrown.getCause() : thrown;
		return (cause != null) ? cause : new IllegalStateException("No lease");
	}

	/**
	 * Tells whether a caller without the lock loads the value itself. Not one that was
	 * interrupted: it is to end.
	 */
	private boolean loadsWithout(LockException failure) {
		if (this.onFailure == OnLockFailure.THROW
				|| failure instanceof LockNotAcquiredException refused && refused.reason() == Reason.INTERRUPTED) {
			return false;
		}
		long last = this.lastWarning.get();
		long now = System.nanoTime();
		if (now - last >= WARNING_PAUSE && this.lastWarning.compareAndSet(last, now)) {
			logger.warn("Cache '{}': a value is loaded without the lock that keeps other instances from doing the same."
					+ " {} (Said at most once per minute for each cache.)", getName(), failure.getMessage());
		}
		return true;
	}

	// ---- As it is

	@Override
	public String getName() {
		return this.target.getName();
	}

	@Override
	public Object getNativeCache() {
		return this.target.getNativeCache();
	}

	@Override
	public @Nullable ValueWrapper get(Object key) {
		return this.target.get(key);
	}

	@Override
	public <T> @Nullable T get(Object key, @Nullable Class<T> type) {
		return this.target.get(key, type);
	}

	@Override
	public @Nullable CompletableFuture<?> retrieve(Object key) {
		return this.target.retrieve(key);
	}

	@Override
	public void put(Object key, @Nullable Object value) {
		this.target.put(key, value);
	}

	@Override
	public @Nullable ValueWrapper putIfAbsent(Object key, @Nullable Object value) {
		return this.target.putIfAbsent(key, value);
	}

	@Override
	public void evict(Object key) {
		this.target.evict(key);
	}

	@Override
	public boolean evictIfPresent(Object key) {
		return this.target.evictIfPresent(key);
	}

	@Override
	public void clear() {
		this.target.clear();
	}

	@Override
	public boolean invalidate() {
		return this.target.invalidate();
	}

	@Override
	public String toString() {
		return "Locking " + this.target;
	}

}
