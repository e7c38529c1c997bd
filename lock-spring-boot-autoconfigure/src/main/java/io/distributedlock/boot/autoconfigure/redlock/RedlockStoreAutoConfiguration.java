package io.distributedlock.boot.autoconfigure.redlock;

import io.distributedlock.boot.autoconfigure.ConditionalOnLockStore;
import io.distributedlock.boot.autoconfigure.DistributedLockAutoConfiguration;
import io.distributedlock.boot.autoconfigure.DistributedLockProperties;
import io.distributedlock.boot.autoconfigure.LockInstanceId;
import io.distributedlock.boot.autoconfigure.LockStoreHelp;
import io.distributedlock.store.redis.RedlockLockStore;

import org.springframework.beans.factory.ObjectProvider;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.boot.autoconfigure.ssl.SslAutoConfiguration;
import org.springframework.boot.context.properties.EnableConfigurationProperties;
import org.springframework.boot.ssl.SslBundles;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Conditional;
import org.springframework.context.annotation.Lazy;
import org.springframework.data.redis.connection.RedisConnectionFactory;

/**
 * Auto-configuration for locks that a majority of independent Redis servers keeps
 * (Redlock), if {@code distributed-lock.redlock.nodes} or a bean of type
 * {@link RedlockConnectionDetails} names them. It has nothing to do with
 * {@code spring.data.redis.*}.
 */
@AutoConfiguration(before = DistributedLockAutoConfiguration.class, after = SslAutoConfiguration.class)
@ConditionalOnClass({ RedlockLockStore.class, RedisConnectionFactory.class })
@ConditionalOnLockStore("redlock")
@EnableConfigurationProperties({ DistributedLockProperties.class, RedlockProperties.class })
public final class RedlockStoreAutoConfiguration {

	private static final LockStoreHelp HELP = new LockStoreHelp("redlock", "Redlock",
			"Start the servers, a majority at least, or correct their addresses (distributed-lock.redlock.nodes).",
			"Correct what the message above says (see distributed-lock.redlock.*).");

	@Bean
	@Conditional(OnRedlockNodesCondition.class)
	@ConditionalOnMissingBean(RedlockConnectionDetails.class)
	PropertiesRedlockConnectionDetails redlockConnectionDetails(RedlockProperties properties,
			ObjectProvider<SslBundles> sslBundles) {
		return new PropertiesRedlockConnectionDetails(properties, sslBundles.getIfAvailable());
	}

	// Lazy, so that an application that switches locks off needs no Redis.
	@Bean
	@Lazy
	@ConditionalOnMissingBean
	@ConditionalOnBean(RedlockConnectionDetails.class)
	RedlockConnections redlockConnections(RedlockConnectionDetails details, DistributedLockProperties properties) {
		return new RedlockConnections(details, properties.commandTimeout());
	}

	@Bean
	@Lazy
	@ConditionalOnMissingBean
	@ConditionalOnBean(RedlockConnections.class)
	RedlockLockStore redlockLockStore(RedlockConnections connections, RedlockProperties redlock,
			DistributedLockProperties properties, LockInstanceId instanceId) {
		return HELP.start(() -> {
			RedlockLockStore.Builder builder = RedlockLockStore.builder(connections.factories())
				.prefix(redlock.prefix())
				.instanceId(instanceId.value())
				.commandTimeout(properties.commandTimeout());
			if (redlock.nodeTimeout() != null) {
				builder.nodeTimeout(redlock.nodeTimeout());
			}
			return builder.build();
		}, RedlockLockStore::check);
	}

}
