package io.distributedlock.boot.autoconfigure.redis;

import io.distributedlock.boot.autoconfigure.ConditionalOnLockStore;
import io.distributedlock.boot.autoconfigure.DistributedLockAutoConfiguration;
import io.distributedlock.boot.autoconfigure.DistributedLockProperties;
import io.distributedlock.boot.autoconfigure.LockInstanceId;
import io.distributedlock.boot.autoconfigure.LockStoreHelp;
import io.distributedlock.boot.autoconfigure.LockStoreSetupException;
import io.distributedlock.store.redis.RedisLockStore;
import org.jspecify.annotations.Nullable;

import org.springframework.aot.hint.RuntimeHints;
import org.springframework.aot.hint.RuntimeHintsRegistrar;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.boot.context.properties.EnableConfigurationProperties;
import org.springframework.context.annotation.Bean;
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
@ConditionalOnLockStore("redis")
@EnableConfigurationProperties(DistributedLockProperties.class)
@ImportRuntimeHints(RedisLockStoreAutoConfiguration.Scripts.class)
public final class RedisLockStoreAutoConfiguration {

	private static final LockStoreHelp HELP = new LockStoreHelp("redis", "Redis",
			"Start the server, or correct its address (spring.data.redis.host and .port, or .url).",
			"Correct what the message above says.");

	private static final int RE_CHECKS_OF_QUEUE_ENTRY = 3;

	// Lazy, so that an application that switches locks off needs no Redis.
	@Bean
	@Lazy
	@ConditionalOnMissingBean
	RedisLockStore redisLockStore(@LockRedisConnectionFactory ObjectProvider<RedisConnectionFactory> marked,
			ObjectProvider<RedisConnectionFactory> all, DistributedLockProperties properties,
			LockInstanceId instanceId) {
		RedisConnectionFactory connectionFactory = connectionFactory(marked, all);
		return HELP.start(() -> {
			RedisLockStore.Builder builder = RedisLockStore.builder(connectionFactory)
				.prefix(properties.redis().prefix())
				.instanceId(instanceId.value())
				.reservation(properties.reservation())
				.queueEntryTtl(properties.recheck().multipliedBy(RE_CHECKS_OF_QUEUE_ENTRY))
				.commandTimeout(properties.commandTimeout())
				.waitReplicas(properties.redis().replicas())
				.replicaTimeout(properties.redis().replicaTimeout());
			if (properties.redis().waitForAllReplicas()) {
				builder.waitForAllReplicas();
			}
			return builder.build();
		}, RedisLockStore::check);
	}

	private static RedisConnectionFactory connectionFactory(ObjectProvider<RedisConnectionFactory> marked,
			ObjectProvider<RedisConnectionFactory> all) {
		RedisConnectionFactory factory = marked.getIfAvailable(all::getIfUnique);
		if (factory == null) {
			throw new LockStoreSetupException(
					"There are several RedisConnectionFactory beans, and it is not said which server keeps the locks.",
					"Mark one with @LockRedisConnectionFactory or @Primary.");
		}
		return factory;
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
