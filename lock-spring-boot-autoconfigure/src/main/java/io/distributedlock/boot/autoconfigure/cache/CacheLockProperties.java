package io.distributedlock.boot.autoconfigure.cache;

import java.util.Set;

import io.distributedlock.spring.cache.LockingCaches;
import io.distributedlock.spring.cache.OnLockFailure;

import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;

/**
 * Properties of caches whose values are loaded once in the whole cluster.
 *
 * @param enabled Whether @Cacheable(sync = true) loads a value once in the whole cluster,
 * under a lock for each key.
 * @param names Names of the caches that this goes for. All that instances share if empty.
 * @param name What all of the locks are called; the cache and the key are their key.
 * @param onFailure What a caller does that has to load a value and does not get the lock.
 */
@ConfigurationProperties("distributed-lock.cache")
public record CacheLockProperties(@DefaultValue("false") boolean enabled, @DefaultValue Set<String> names,
		@DefaultValue(LockingCaches.DEFAULT_NAME) String name, @DefaultValue("load") OnLockFailure onFailure) {

	/**
	 * Copies the names.
	 */
	public CacheLockProperties {
		names = Set.copyOf(names);
	}

}
