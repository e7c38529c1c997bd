package io.distributedlock.boot.autoconfigure.etcd;

import java.net.URI;

import io.distributedlock.boot.autoconfigure.ConditionalOnLockStore;
import io.distributedlock.boot.autoconfigure.DistributedLockAutoConfiguration;
import io.distributedlock.boot.autoconfigure.DistributedLockProperties;
import io.distributedlock.boot.autoconfigure.LockInstanceId;
import io.distributedlock.boot.autoconfigure.LockStoreHelp;
import io.distributedlock.store.etcd.EtcdLockStore;
import io.etcd.jetcd.Client;

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

/**
 * Auto-configuration for locks in etcd, if {@code distributed-lock.etcd.endpoints} or a
 * bean of type {@link EtcdConnectionDetails} says where it is, or if the application has
 * a {@link Client} already.
 */
@AutoConfiguration(before = DistributedLockAutoConfiguration.class, after = SslAutoConfiguration.class)
@ConditionalOnClass({ EtcdLockStore.class, Client.class })
@ConditionalOnLockStore("etcd")
@EnableConfigurationProperties({ DistributedLockProperties.class, EtcdLockProperties.class })
public final class EtcdLockStoreAutoConfiguration {

	private static final LockStoreHelp HELP = new LockStoreHelp("etcd", "etcd",
			"Start etcd, or correct its address (distributed-lock.etcd.endpoints).",
			"Correct what the message above says (see distributed-lock.etcd.*).");

	private static final int RE_CHECKS_OF_QUEUE_ENTRY = 3;

	@Bean
	@Conditional(OnEtcdEndpointsCondition.class)
	@ConditionalOnMissingBean(EtcdConnectionDetails.class)
	PropertiesEtcdConnectionDetails etcdConnectionDetails(EtcdLockProperties properties,
			ObjectProvider<SslBundles> sslBundles) {
		return new PropertiesEtcdConnectionDetails(properties, sslBundles.getIfAvailable());
	}

	// Lazy, so that an application that switches locks off needs no etcd.
	@Bean
	@Lazy
	@ConditionalOnMissingBean
	@ConditionalOnBean(EtcdConnectionDetails.class)
	Client etcdLockClient(EtcdConnectionDetails details, DistributedLockProperties properties) {
		return EtcdClients.create(details, properties.commandTimeout());
	}

	@Bean
	@Lazy
	@ConditionalOnMissingBean
	@ConditionalOnBean(Client.class)
	EtcdLockStore etcdLockStore(Client client, ObjectProvider<EtcdConnectionDetails> details, EtcdLockProperties etcd,
			DistributedLockProperties properties, LockInstanceId instanceId) {
		return HELP.start(() -> {
			EtcdLockStore.Builder builder = EtcdLockStore.builder(client)
				.prefix(etcd.prefix())
				.instanceId(instanceId.value())
				.reservation(properties.reservation())
				.queueEntryTtl(properties.recheck().multipliedBy(RE_CHECKS_OF_QUEUE_ENTRY))
				.commandTimeout(properties.commandTimeout());
			details.ifUnique((known) -> builder.endpoints(known.getEndpoints().stream().map(URI::toString).toList()));
			return builder.build();
		}, EtcdLockStore::check);
	}

}
