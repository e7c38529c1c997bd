package io.distributedlock.boot.autoconfigure.memory;

import io.distributedlock.boot.autoconfigure.ConditionalOnLockStore;
import io.distributedlock.boot.autoconfigure.DistributedLockAutoConfiguration;
import io.distributedlock.boot.autoconfigure.DistributedLockProperties;
import io.distributedlock.boot.autoconfigure.LockInstanceId;
import io.distributedlock.test.InMemoryLockServer;
import io.distributedlock.test.InMemoryLockStore;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.boot.context.properties.EnableConfigurationProperties;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Lazy;

/**
 * Auto-configuration for locks within this JVM, if {@code distributed-lock.store} is
 * {@code memory}, or beside other stores if {@code distributed-lock.memory.enabled} is
 * true: for development and tests, never a fallback for a store that is out of reach.
 */
@AutoConfiguration(before = DistributedLockAutoConfiguration.class)
@ConditionalOnClass(InMemoryLockServer.class)
@ConditionalOnLockStore("memory")
@EnableConfigurationProperties(DistributedLockProperties.class)
public final class MemoryLockStoreAutoConfiguration {

	private static final Logger logger = LoggerFactory.getLogger(MemoryLockStoreAutoConfiguration.class);

	@Bean
	@ConditionalOnMissingBean
	InMemoryLockServer inMemoryLockServer(DistributedLockProperties properties) {
		return InMemoryLockServer.builder()
			.storeName("memory")
			.reservation(properties.reservation())
			.queueEntryTtl(properties.recheck().multipliedBy(3))
			.build();
	}

	// Lazy like the others: the warning is for those whose locks are there.
	@Bean
	@Lazy
	@ConditionalOnMissingBean
	InMemoryLockStore inMemoryLockStore(InMemoryLockServer server, LockInstanceId instanceId) {
		logger.warn("Locks in the store 'memory' hold within this JVM only.");
		return server.connect(instanceId.value());
	}

}
