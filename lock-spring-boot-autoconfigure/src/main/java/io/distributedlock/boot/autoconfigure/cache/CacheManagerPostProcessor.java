package io.distributedlock.boot.autoconfigure.cache;

import io.distributedlock.spring.cache.LockingCaches;

import org.springframework.beans.factory.ObjectProvider;
import org.springframework.beans.factory.config.BeanPostProcessor;
import org.springframework.cache.CacheManager;

/**
 * Decorates each cache manager of the application.
 */
final class CacheManagerPostProcessor implements BeanPostProcessor {

	private final ObjectProvider<LockingCaches> caches;

	CacheManagerPostProcessor(ObjectProvider<LockingCaches> caches) {
		this.caches = caches;
	}

	@Override
	public Object postProcessAfterInitialization(Object bean, String beanName) {
		return (bean instanceof CacheManager manager) ? this.caches.getObject().decorate(manager) : bean;
	}

}
