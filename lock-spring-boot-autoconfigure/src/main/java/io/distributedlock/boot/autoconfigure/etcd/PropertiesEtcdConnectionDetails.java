package io.distributedlock.boot.autoconfigure.etcd;

import java.net.URI;
import java.util.List;

import org.jspecify.annotations.Nullable;

import org.springframework.boot.ssl.SslBundle;
import org.springframework.boot.ssl.SslBundles;

/**
 * Where etcd is, by properties.
 */
final class PropertiesEtcdConnectionDetails implements EtcdConnectionDetails {

	private final EtcdLockProperties properties;

	private final @Nullable SslBundles sslBundles;

	PropertiesEtcdConnectionDetails(EtcdLockProperties properties, @Nullable SslBundles sslBundles) {
		this.properties = properties;
		this.sslBundles = sslBundles;
	}

	@Override
	public List<URI> getEndpoints() {
		return this.properties.uris();
	}

	@Override
	public @Nullable String getUsername() {
		return this.properties.username();
	}

	@Override
	public @Nullable String getPassword() {
		return this.properties.password();
	}

	@Override
	public @Nullable SslBundle getSslBundle() {
		String name = this.properties.ssl().bundle();
		if (name == null) {
			return null;
		}
		if (this.sslBundles == null) {
			throw new IllegalStateException("distributed-lock.etcd.ssl.bundle is '" + name
					+ "', but SSL bundles are not there: SslAutoConfiguration is excluded.");
		}
		return this.sslBundles.getBundle(name);
	}

}
