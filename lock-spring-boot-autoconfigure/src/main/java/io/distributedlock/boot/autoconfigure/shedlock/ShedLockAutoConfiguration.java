package io.distributedlock.boot.autoconfigure.shedlock;

import io.distributedlock.LockTemplate;
import io.distributedlock.boot.autoconfigure.AdapterLockName;
import io.distributedlock.boot.autoconfigure.DistributedLockAutoConfiguration;
import io.distributedlock.boot.autoconfigure.DistributedLockProperties;
import io.distributedlock.spring.shedlock.DistributedLockProvider;
import net.javacrumbs.shedlock.core.LockProvider;

import org.springframework.beans.factory.BeanFactory;
import org.springframework.beans.factory.config.ConfigurableListableBeanFactory;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBooleanProperty;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.boot.context.properties.EnableConfigurationProperties;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Lazy;

/**
 * {@link EnableAutoConfiguration Auto-configuration} of ShedLock's {@link LockProvider}.
 */
@AutoConfiguration(after = DistributedLockAutoConfiguration.class)
@ConditionalOnClass(LockProvider.class)
@ConditionalOnBooleanProperty(name = "distributed-lock.enabled", matchIfMissing = true)
@ConditionalOnBooleanProperty(name = "distributed-lock.shedlock.enabled", matchIfMissing = true)
@EnableConfigurationProperties(ShedLockProperties.class)
public final class ShedLockAutoConfiguration {

	// Lazy, since an application that switches locks off needs no store.
	@Bean
	@ConditionalOnMissingBean(LockProvider.class)
	DistributedLockProvider distributedLockProvider(@Lazy LockTemplate locks, ShedLockProperties properties) {
		return new DistributedLockProvider(locks, properties.name());
	}

	@Bean
	@ConditionalOnBean(DistributedLockProvider.class)
	AdapterLockName shedLockName(ShedLockProperties properties) {
		return new AdapterLockName(properties.name());
	}

	@Bean
	@Lazy(false)
	@ConditionalOnBean(DistributedLockProvider.class)
	static ShedLockSettingsCheck shedLockSettingsCheck(DistributedLockProperties locks, ShedLockProperties properties,
			BeanFactory beanFactory) {
		return new ShedLockSettingsCheck(locks, properties.name(), (ConfigurableListableBeanFactory) beanFactory);
	}

}
