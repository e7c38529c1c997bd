package io.distributedlock.boot.autoconfigure.zookeeper;

import java.nio.charset.StandardCharsets;
import java.util.Objects;

import io.distributedlock.boot.autoconfigure.ConditionalOnLockStore;
import io.distributedlock.boot.autoconfigure.DistributedLockAutoConfiguration;
import io.distributedlock.boot.autoconfigure.DistributedLockProperties;
import io.distributedlock.boot.autoconfigure.LockInstanceId;
import io.distributedlock.boot.autoconfigure.LockStoreHelp;
import io.distributedlock.store.zookeeper.ZooKeeperLockStore;
import org.jspecify.annotations.Nullable;

import org.springframework.aot.hint.MemberCategory;
import org.springframework.aot.hint.RuntimeHints;
import org.springframework.aot.hint.RuntimeHintsRegistrar;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnProperty;
import org.springframework.boot.context.properties.EnableConfigurationProperties;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.ImportRuntimeHints;
import org.springframework.context.annotation.Lazy;

/**
 * Auto-configuration for locks in ZooKeeper, if
 * {@code distributed-lock.zookeeper.connect-string} or a bean of type
 * {@link ZooKeeperConnectionDetails} says where it is.
 */
@AutoConfiguration(before = DistributedLockAutoConfiguration.class)
@ConditionalOnClass(ZooKeeperLockStore.class)
@ConditionalOnLockStore("zookeeper")
@EnableConfigurationProperties({ DistributedLockProperties.class, ZooKeeperLockProperties.class })
@ImportRuntimeHints(ZooKeeperLockStoreAutoConfiguration.Sockets.class)
public final class ZooKeeperLockStoreAutoConfiguration {

	private static final LockStoreHelp HELP = new LockStoreHelp("zookeeper", "ZooKeeper",
			"Start ZooKeeper, or correct its address (distributed-lock.zookeeper.connect-string).",
			"Correct what the message above says (see distributed-lock.zookeeper.*).");

	private static final int RE_CHECKS_OF_QUEUE_ENTRY = 3;

	@Bean
	@ConditionalOnProperty("distributed-lock.zookeeper.connect-string")
	@ConditionalOnMissingBean(ZooKeeperConnectionDetails.class)
	PropertiesZooKeeperConnectionDetails zooKeeperConnectionDetails(ZooKeeperLockProperties properties) {
		return new PropertiesZooKeeperConnectionDetails(Objects.requireNonNull(properties.connectString()),
				properties.auth());
	}

	// Lazy, so that an application that switches locks off needs no ZooKeeper.
	@Bean
	@Lazy
	@ConditionalOnMissingBean
	@ConditionalOnBean(ZooKeeperConnectionDetails.class)
	ZooKeeperLockStore zooKeeperLockStore(ZooKeeperConnectionDetails details, ZooKeeperLockProperties zooKeeper,
			DistributedLockProperties properties, LockInstanceId instanceId) {
		return HELP.start(() -> {
			ZooKeeperLockStore.Builder builder = ZooKeeperLockStore.builder(details.getConnectString())
				.namespace(zooKeeper.namespace())
				.connectionTimeout(zooKeeper.connectionTimeout())
				.tickTime(zooKeeper.tickTime())
				.ttl(properties.ttl())
				.instanceId(instanceId.value())
				.reservation(properties.reservation())
				.queueEntryTtl(properties.recheck().multipliedBy(RE_CHECKS_OF_QUEUE_ENTRY))
				.commandTimeout(properties.commandTimeout());
			String credentials = details.getAuthCredentials();
			if (credentials != null) {
				builder.authorization(details.getAuthScheme(), credentials.getBytes(StandardCharsets.UTF_8));
			}
			return builder.build();
		}, ZooKeeperLockStore::check);
	}

	/**
	 * The sockets that ZooKeeper's client makes by name.
	 */
	static final class Sockets implements RuntimeHintsRegistrar {

		@Override
		public void registerHints(RuntimeHints hints, @Nullable ClassLoader classLoader) {
			for (String socket : new String[] { "NIO", "Netty" }) {
				hints.reflection()
					.registerTypeIfPresent(classLoader, "org.apache.zookeeper.ClientCnxnSocket" + socket,
							MemberCategory.INVOKE_DECLARED_CONSTRUCTORS);
			}
		}

	}

}
