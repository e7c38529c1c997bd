package io.distributedlock.boot.autoconfigure.integration;

import io.distributedlock.LockTemplate;
import io.distributedlock.boot.autoconfigure.AdapterLockName;
import io.distributedlock.boot.autoconfigure.DistributedLockAutoConfiguration;
import io.distributedlock.spring.integration.DistributedLockRegistry;

import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBooleanProperty;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.boot.context.properties.EnableConfigurationProperties;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Lazy;
import org.springframework.integration.support.locks.LockRegistry;

/**
 * {@link EnableAutoConfiguration Auto-configuration} of Spring Integration's
 * {@link LockRegistry}.
 */
@AutoConfiguration(after = DistributedLockAutoConfiguration.class)
@ConditionalOnClass(LockRegistry.class)
@ConditionalOnBooleanProperty(name = "distributed-lock.enabled", matchIfMissing = true)
@ConditionalOnBooleanProperty(name = "distributed-lock.integration.enabled", matchIfMissing = true)
@EnableConfigurationProperties(IntegrationLockProperties.class)
public final class IntegrationLockAutoConfiguration {

	// Lazy, since an application that switches locks off needs no store.
	@Bean
	@ConditionalOnMissingBean(LockRegistry.class)
	DistributedLockRegistry distributedLockRegistry(@Lazy LockTemplate locks, IntegrationLockProperties properties) {
		return new DistributedLockRegistry(locks, properties.name());
	}

	@Bean
	@ConditionalOnBean(DistributedLockRegistry.class)
	AdapterLockName integrationLockName(IntegrationLockProperties properties) {
		return new AdapterLockName(properties.name());
	}

}
