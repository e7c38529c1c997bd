package io.distributedlock.spring.cache;

import java.lang.reflect.Modifier;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.Executor;

import io.distributedlock.LockTemplate;
import org.aopalliance.intercept.MethodInterceptor;
import org.aopalliance.intercept.MethodInvocation;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import org.springframework.aop.framework.ProxyFactory;
import org.springframework.cache.Cache;
import org.springframework.cache.CacheManager;
import org.springframework.cache.concurrent.ConcurrentMapCache;
import org.springframework.cache.support.NoOpCache;

/**
 * Decorates cache managers, so that values of their caches are loaded once in the whole
 * cluster where {@code Cache.get(key, loader)} or {@code Cache.retrieve(key, loader)} is
 * used, as with {@code @Cacheable(sync = true)}. Safe for use by many threads.
 * <p>
 * That works for caches that all instances share. One within this JVM would be loaded by
 * each instance all the same, one after the other; it is left as it is, or refused if it
 * was named.
 */
public final class LockingCaches {

	/** What the locks of caches are called if nobody says otherwise. */
	public static final String DEFAULT_NAME = "cache";

	private static final Logger logger = LoggerFactory.getLogger(LockingCaches.class);

	private static final Set<String> LOCAL = Set.of(ConcurrentMapCache.class.getName(), NoOpCache.class.getName(),
			"org.springframework.cache.caffeine.CaffeineCache");

	private final LockTemplate locks;

	private final String lockName;

	private final Set<String> names;

	private final OnLockFailure onFailure;

	private final Executor executor;

	private final Set<String> told = ConcurrentHashMap.newKeySet();

	/**
	 * Makes a decorator of cache managers.
	 * @param locks takes the locks
	 * @param lockName what all locks are called; name of the cache and key are their key
	 * @param names which caches, empty for all
	 * @param onFailure what callers do that do not get the lock
	 * @param executor runs loaders of asynchronous methods, which may block
	 */
	public LockingCaches(LockTemplate locks, String lockName, Set<String> names, OnLockFailure onFailure,
			Executor executor) {
		this.locks = locks;
		this.lockName = lockName;
		this.names = Set.copyOf(names);
		this.onFailure = onFailure;
		this.executor = executor;
	}

	/**
	 * Decorates a cache manager.
	 * @param manager the cache manager
	 * @return a proxy of the same class, unless that class is final
	 */
	public CacheManager decorate(CacheManager manager) {
		ProxyFactory factory = new ProxyFactory(manager);
		factory.setProxyTargetClass(!Modifier.isFinal(manager.getClass().getModifiers()));
		factory.addAdvice(new Decoration());
		return (CacheManager) factory.getProxy(manager.getClass().getClassLoader());
	}

	/**
	 * Returns the cache that a decorated one takes its values from.
	 * @param cache any cache
	 * @return the cache that was decorated, or the same if it is not decorated by this
	 * class
	 */
	public static Cache undecorated(Cache cache) {
		return (cache instanceof LockingCache locking) ? locking.target() : cache;
	}

	private boolean isMeant(Cache cache) {
		if (!this.names.isEmpty() && !this.names.contains(cache.getName())) {
			return false;
		}
		if (cache instanceof LockingCache) {
			// Of a manager that asks other managers.
			return false;
		}
		if (!LOCAL.contains(cache.getClass().getName())) {
			return true;
		}
		if (this.names.contains(cache.getName())) {
			throw new IllegalStateException("Cache '" + cache.getName() + "' is a " + cache.getClass().getSimpleName()
					+ ", which other instances do not see, so that its values cannot be loaded once for all of them."
					+ " Use a cache that they share, such as Redis, or take it out of distributed-lock.cache.names;"
					+ " in a test, set distributed-lock.cache.enabled=false.");
		}
		if (this.told.add(cache.getName())) {
			logger.warn("Cache '{}' is a {}, which other instances do not see: its values are loaded by each of them,"
					+ " without a lock.", cache.getName(), cache.getClass().getSimpleName());
		}
		return false;
	}

	/**
	 * Gives out decorated caches of one manager.
	 */
	private final class Decoration implements MethodInterceptor {

		private final ConcurrentMap<String, LockingCache> decorated = new ConcurrentHashMap<>();

		@Override
		public @Nullable Object invoke(MethodInvocation invocation) throws Throwable {
			Object result = invocation.proceed();
			if (!invocation.getMethod().getName().equals("getCache") || !(result instanceof Cache cache)
					|| !isMeant(cache)) {
				return result;
			}
			return this.decorated.compute(cache.getName(),
					(name, known) -> (known != null && known.target() == cache) ? known
							: new LockingCache(cache, LockingCaches.this.locks, LockingCaches.this.lockName,
									LockingCaches.this.onFailure, LockingCaches.this.executor));
		}

	}

}
