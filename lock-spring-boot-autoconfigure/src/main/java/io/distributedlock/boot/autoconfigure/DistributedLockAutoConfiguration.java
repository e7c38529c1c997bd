package io.distributedlock.boot.autoconfigure;

import io.distributedlock.LockListener;
import io.distributedlock.LockTemplate;
import io.distributedlock.engine.LockEngine;
import io.distributedlock.spi.LockStore;

import org.springframework.beans.factory.ObjectProvider;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.boot.context.properties.EnableConfigurationProperties;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;

/**
 * Auto-configuration for the engine that takes and holds locks, over all
 * {@link LockStore} beans. The engine is the application's {@link LockTemplate} and
 * {@link io.distributedlock.LockInspector}.
 */
@AutoConfiguration
@EnableConfigurationProperties(DistributedLockProperties.class)
public final class DistributedLockAutoConfiguration {

	@Bean
	@ConditionalOnMissingBean
	LockInstanceId lockInstanceId(DistributedLockProperties properties) {
		return LockInstanceId.create(properties.instanceId());
	}

	@Configuration(proxyBeanMethods = false)
	@ConditionalOnMissingBean(LockTemplate.class)
	static class EngineConfiguration {

		@Bean
		LockEngine lockEngine(DistributedLockProperties properties, ObjectProvider<LockStore> stores,
				ObjectProvider<LockListener> listeners) {
			return new LockEngineFactory(properties).create(stores.orderedStream().toList(),
					listeners.orderedStream().toList());
		}

	}

	@Configuration(proxyBeanMethods = false)
	@ConditionalOnBean(LockEngine.class)
	static class LifecycleConfiguration {

		@Bean
		@ConditionalOnMissingBean
		LockEngineLifecycle lockEngineLifecycle(LockEngine engine, DistributedLockProperties properties) {
			return new LockEngineLifecycle(engine, properties.shutdown().timeout());
		}

	}

}
