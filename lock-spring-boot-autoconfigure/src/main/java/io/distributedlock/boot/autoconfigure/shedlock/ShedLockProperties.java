package io.distributedlock.boot.autoconfigure.shedlock;

import io.distributedlock.spring.shedlock.DistributedLockProvider;

import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;

/**
 * Properties of ShedLock over distributed locks.
 *
 * @param enabled Whether ShedLock takes its locks from the stores of distributed locks,
 * if the application has no LockProvider of its own.
 * @param name What all of ShedLock's locks are called; ShedLock's name is their key.
 */
@ConfigurationProperties("distributed-lock.shedlock")
public record ShedLockProperties(@DefaultValue("true") boolean enabled,
		@DefaultValue(DistributedLockProvider.DEFAULT_NAME) String name) {
}
