package io.distributedlock.boot.autoconfigure;

import java.time.Duration;

import io.distributedlock.LockListener;
import io.distributedlock.LockTemplate;
import io.distributedlock.engine.LockEngine;
import io.distributedlock.spi.LockStore;

import org.springframework.beans.factory.BeanFactory;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.beans.factory.config.ConfigurableListableBeanFactory;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.boot.context.properties.EnableConfigurationProperties;
import org.springframework.boot.context.properties.bind.Binder;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Lazy;
import org.springframework.core.env.Environment;

/**
 * Auto-configuration for the engine that takes and holds locks, over all
 * {@link LockStore} beans. The engine is the application's {@link LockTemplate} and
 * {@link io.distributedlock.LockInspector}.
 */
@AutoConfiguration
@EnableConfigurationProperties(DistributedLockProperties.class)
public final class DistributedLockAutoConfiguration {

	private static final Duration BOOTS_PHASE_TIMEOUT = Duration.ofSeconds(30);

	@Bean
	static LockPropertiesCheck lockPropertiesCheck() {
		return new LockPropertiesCheck();
	}

	@Bean
	@ConditionalOnMissingBean
	LockInstanceId lockInstanceId(DistributedLockProperties properties) {
		return LockInstanceId.create(properties.instanceId());
	}

	// Lazy, so that an application that switches locks off needs no store. Otherwise the
	// check of the declared locks makes it at start-up.
	@Bean
	@Lazy
	@ConditionalOnMissingBean(LockTemplate.class)
	LockEngine lockEngine(DistributedLockProperties properties, ObjectProvider<LockStore> stores,
			ObjectProvider<LockListener> listeners) {
		return new LockEngineFactory(properties).create(stores.orderedStream().toList(),
				listeners.orderedStream().toList());
	}

	@Bean
	@ConditionalOnMissingBean
	LockEngineLifecycle lockEngineLifecycle(BeanFactory beanFactory, DistributedLockProperties properties,
			Environment environment) {
		Duration phaseTimeout = Binder.get(environment)
			.bind("spring.lifecycle.timeout-per-shutdown-phase", Duration.class)
			.orElse(BOOTS_PHASE_TIMEOUT);
		return new LockEngineLifecycle((ConfigurableListableBeanFactory) beanFactory, properties.shutdown().timeout(),
				phaseTimeout);
	}

}
