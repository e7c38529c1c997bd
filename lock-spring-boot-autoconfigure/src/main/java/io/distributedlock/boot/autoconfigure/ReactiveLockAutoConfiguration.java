package io.distributedlock.boot.autoconfigure;

import io.distributedlock.LockTemplate;
import io.distributedlock.spring.DefaultReactiveLockTemplate;
import io.distributedlock.spring.ReactiveLockTemplate;
import reactor.core.publisher.Flux;

import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Lazy;

/**
 * Auto-configuration for a {@link ReactiveLockTemplate}, where Reactor is there.
 */
@AutoConfiguration(after = DistributedLockAutoConfiguration.class)
@ConditionalOnClass(Flux.class)
@ConditionalOnBean(LockTemplate.class)
public final class ReactiveLockAutoConfiguration {

	// Lazy as the engine is, so that an application that switches locks off needs no
	// store.
	@Bean
	@Lazy
	@ConditionalOnMissingBean(ReactiveLockTemplate.class)
	DefaultReactiveLockTemplate reactiveLockTemplate(LockTemplate locks, DistributedLockProperties properties) {
		return new DefaultReactiveLockTemplate(locks,
				DistributedLockAspectAutoConfiguration.aspectSettings(properties));
	}

}
