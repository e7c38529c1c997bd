package io.distributedlock.boot.autoconfigure.integration;

import io.distributedlock.spring.integration.DistributedLockRegistry;

import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;

/**
 * Properties of Spring Integration over distributed locks.
 *
 * @param enabled Whether Spring Integration gets a lock registry over the stores of
 * distributed locks, if the application has no LockRegistry of its own.
 * @param name What all locks of the registry are called.
 */
@ConfigurationProperties("distributed-lock.integration")
public record IntegrationLockProperties(@DefaultValue("true") boolean enabled,
		@DefaultValue(DistributedLockRegistry.DEFAULT_NAME) String name) {
}
