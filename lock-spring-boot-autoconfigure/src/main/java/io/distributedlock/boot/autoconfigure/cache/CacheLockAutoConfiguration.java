package io.distributedlock.boot.autoconfigure.cache;

import java.util.concurrent.Executor;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;

import io.distributedlock.LockTemplate;
import io.distributedlock.boot.autoconfigure.AdapterLockName;
import io.distributedlock.boot.autoconfigure.DistributedLockAutoConfiguration;
import io.distributedlock.spring.cache.LockingCaches;
import io.micrometer.core.instrument.binder.MeterBinder;

import org.springframework.beans.factory.ObjectProvider;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBooleanProperty;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.boot.cache.metrics.CacheMeterBinderProvider;
import org.springframework.boot.context.properties.EnableConfigurationProperties;
import org.springframework.boot.thread.Threading;
import org.springframework.cache.CacheManager;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.Lazy;
import org.springframework.core.env.Environment;
import org.springframework.core.task.VirtualThreadTaskExecutor;
import org.springframework.scheduling.concurrent.CustomizableThreadFactory;

/**
 * {@link EnableAutoConfiguration Auto-configuration} of caches whose values are loaded
 * once in the whole cluster. Off unless the application asks for it.
 */
@AutoConfiguration(after = DistributedLockAutoConfiguration.class)
@ConditionalOnClass(CacheManager.class)
@ConditionalOnBooleanProperty(name = "distributed-lock.enabled", matchIfMissing = true)
@ConditionalOnBooleanProperty("distributed-lock.cache.enabled")
@EnableConfigurationProperties(CacheLockProperties.class)
public final class CacheLockAutoConfiguration {

	private static final String THREADS = "lock-cache-";

	private static final int MAX_THREADS = 64;

	@Bean
	@ConditionalOnMissingBean
	static LockingCaches lockingCaches(@Lazy LockTemplate locks, CacheLockProperties properties,
			Environment environment) {
		return new LockingCaches(locks, properties.name(), properties.names(), properties.onFailure(),
				Threading.VIRTUAL.isActive(environment) ? new VirtualThreadTaskExecutor(THREADS) : threads());
	}

	// None of the application's own: there, callers that wait for a value could keep the
	// one that loads it from getting a thread. Idle ones end.
	private static Executor threads() {
		CustomizableThreadFactory factory = new CustomizableThreadFactory(THREADS);
		factory.setDaemon(true);
		ThreadPoolExecutor pool = new ThreadPoolExecutor(MAX_THREADS, MAX_THREADS, 10, TimeUnit.SECONDS,
				new LinkedBlockingQueue<>(), factory);
		pool.allowCoreThreadTimeOut(true);
		return pool;
	}

	@Bean
	AdapterLockName cacheLockName(CacheLockProperties properties) {
		return new AdapterLockName(properties.name());
	}

	@Bean
	static CacheManagerPostProcessor lockingCacheManagerPostProcessor(ObjectProvider<LockingCaches> caches) {
		return new CacheManagerPostProcessor(caches);
	}

	/**
	 * Meters of decorated caches, where caches have meters.
	 */
	@Configuration(proxyBeanMethods = false)
	@ConditionalOnClass({ CacheMeterBinderProvider.class, MeterBinder.class })
	static class Meters {

		@Bean
		LockedCacheMeterBinderProvider lockedCacheMeterBinderProvider(
				ObjectProvider<CacheMeterBinderProvider<?>> providers) {
			return new LockedCacheMeterBinderProvider(() -> providers.orderedStream().toList());
		}

	}

}
