package io.distributedlock.boot.autoconfigure.cache;

import java.util.List;
import java.util.Objects;
import java.util.function.Supplier;

import io.distributedlock.spring.cache.LockingCaches;
import io.micrometer.core.instrument.Tag;
import io.micrometer.core.instrument.binder.MeterBinder;
import org.jspecify.annotations.Nullable;

import org.springframework.boot.cache.metrics.CacheMeterBinderProvider;
import org.springframework.boot.util.LambdaSafe;
import org.springframework.cache.Cache;
import org.springframework.cache.transaction.TransactionAwareCacheDecorator;
import org.springframework.util.ClassUtils;

/**
 * Gives a decorated cache the meters of the cache that it decorates. Spring Boot chooses
 * meters by the class of a cache, and knows no meters for ours.
 */
final class LockedCacheMeterBinderProvider implements CacheMeterBinderProvider<Cache> {

	private static final boolean TRANSACTIONS_PRESENT = ClassUtils.isPresent(
			"org.springframework.cache.transaction.TransactionAwareCacheDecorator",
			LockedCacheMeterBinderProvider.class.getClassLoader());

	private final Supplier<List<CacheMeterBinderProvider<?>>> providers;

	/**
	 * Makes a provider.
	 * @param providers gives all providers, of which this may be one
	 */
	LockedCacheMeterBinderProvider(Supplier<List<CacheMeterBinderProvider<?>>> providers) {
		this.providers = providers;
	}

	@Override
	public @Nullable MeterBinder getMeterBinder(Cache cache, Iterable<Tag> tags) {
		Cache target = LockingCaches.undecorated(cache);
		return (target != cache) ? binder(TRANSACTIONS_PRESENT ? Transactions.undecorated(target) : target, tags)
				: null;
	}

	@SuppressWarnings("unchecked")
	private @Nullable MeterBinder binder(Cache target, Iterable<Tag> tags) {
		List<CacheMeterBinderProvider<?>> others = this.providers.get()
			.stream()
			.filter((provider) -> provider != this)
			.toList();
		return LambdaSafe.callbacks(CacheMeterBinderProvider.class, others, target)
			.withLogger(LockedCacheMeterBinderProvider.class)
			.invokeAnd((provider) -> provider.getMeterBinder(target, tags))
			.filter(Objects::nonNull)
			.map(MeterBinder.class::cast)
			.findFirst()
			.orElse(null);
	}

	/**
	 * Of a cache that takes part in transactions, Spring Boot measures the one below.
	 */
	private static final class Transactions {

		static Cache undecorated(Cache cache) {
			return (cache instanceof TransactionAwareCacheDecorator decorator) ? decorator.getTargetCache() : cache;
		}

	}

}
