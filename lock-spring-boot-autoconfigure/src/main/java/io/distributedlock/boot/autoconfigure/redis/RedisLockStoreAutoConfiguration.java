package io.distributedlock.boot.autoconfigure.redis;

import io.distributedlock.boot.autoconfigure.DistributedLockAutoConfiguration;
import io.distributedlock.boot.autoconfigure.DistributedLockProperties;
import io.distributedlock.boot.autoconfigure.LockInstanceId;
import io.distributedlock.store.redis.RedisLockStore;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import org.springframework.aot.hint.RuntimeHints;
import org.springframework.aot.hint.RuntimeHintsRegistrar;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBooleanProperty;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnProperty;
import org.springframework.boot.autoconfigure.condition.NoneNestedConditions;
import org.springframework.boot.context.properties.EnableConfigurationProperties;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Conditional;
import org.springframework.context.annotation.ImportRuntimeHints;
import org.springframework.context.annotation.Lazy;
import org.springframework.data.redis.connection.RedisConnectionFactory;

/**
 * Auto-configuration for locks in Redis. The store takes servers, credentials and TLS
 * from the application's {@link RedisConnectionFactory}, that is from
 * {@code spring.data.redis.*}, and opens connections of its own.
 */
@AutoConfiguration(before = DistributedLockAutoConfiguration.class,
		afterName = "org.springframework.boot.data.redis.autoconfigure.DataRedisAutoConfiguration")
@ConditionalOnClass({ RedisLockStore.class, RedisConnectionFactory.class })
@ConditionalOnBean(RedisConnectionFactory.class)
@ConditionalOnBooleanProperty(name = "distributed-lock.redis.enabled", matchIfMissing = true)
@Conditional(RedisLockStoreAutoConfiguration.NotInMemory.class)
@EnableConfigurationProperties(DistributedLockProperties.class)
@ImportRuntimeHints(RedisLockStoreAutoConfiguration.Scripts.class)
public final class RedisLockStoreAutoConfiguration {

	private static final Logger logger = LoggerFactory.getLogger(RedisLockStoreAutoConfiguration.class);

	private static final int RE_CHECKS_OF_QUEUE_ENTRY = 3;

	// Lazy, so that an application that switches locks off needs no Redis.
	@Bean
	@Lazy
	@ConditionalOnMissingBean
	RedisLockStore redisLockStore(@LockRedisConnectionFactory ObjectProvider<RedisConnectionFactory> marked,
			ObjectProvider<RedisConnectionFactory> all, DistributedLockProperties properties,
			LockInstanceId instanceId) {
		RedisLockStore store = RedisLockStore.builder(connectionFactory(marked, all))
			.prefix(properties.redis().prefix())
			.instanceId(instanceId.value())
			.reservation(properties.reservation())
			.queueEntryTtl(properties.recheck().multipliedBy(RE_CHECKS_OF_QUEUE_ENTRY))
			.commandTimeout(properties.commandTimeout())
			.build();
		try {
			store.check().forEach((advice) -> logger.warn("Redis lock store: {}", advice));
			return store;
		}
		catch (RuntimeException ex) {
			store.close();
			throw ex;
		}
	}

	private static RedisConnectionFactory connectionFactory(ObjectProvider<RedisConnectionFactory> marked,
			ObjectProvider<RedisConnectionFactory> all) {
		RedisConnectionFactory factory = marked.getIfAvailable(all::getIfUnique);
		if (factory == null) {
			throw new IllegalStateException("There are several RedisConnectionFactory beans, and it is not said which"
					+ " server keeps the locks. Mark one with @LockRedisConnectionFactory or @Primary.");
		}
		return factory;
	}

	/**
	 * The application has not chosen the in-memory store.
	 */
	static final class NotInMemory extends NoneNestedConditions {

		NotInMemory() {
			super(ConfigurationPhase.PARSE_CONFIGURATION);
		}

		@ConditionalOnProperty(name = "distributed-lock.store", havingValue = "memory")
		static final class InMemory {

		}

	}

	/**
	 * The scripts that the store reads from its jar.
	 */
	static final class Scripts implements RuntimeHintsRegistrar {

		@Override
		public void registerHints(RuntimeHints hints, @Nullable ClassLoader classLoader) {
			hints.resources().registerPattern("io/distributedlock/store/redis/*.lua");
		}

	}

}
