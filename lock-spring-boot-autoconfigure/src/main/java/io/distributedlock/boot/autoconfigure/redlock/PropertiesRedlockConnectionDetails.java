package io.distributedlock.boot.autoconfigure.redlock;

import java.util.List;

import org.jspecify.annotations.Nullable;

import org.springframework.boot.ssl.SslBundle;
import org.springframework.boot.ssl.SslBundles;

/**
 * Where the Redis servers of Redlock are, by properties.
 */
final class PropertiesRedlockConnectionDetails implements RedlockConnectionDetails {

	private final RedlockProperties properties;

	private final @Nullable SslBundles sslBundles;

	PropertiesRedlockConnectionDetails(RedlockProperties properties, @Nullable SslBundles sslBundles) {
		this.properties = properties;
		this.sslBundles = sslBundles;
	}

	@Override
	public List<String> getNodes() {
		return this.properties.nodes();
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
			throw new IllegalStateException("distributed-lock.redlock.ssl.bundle is '" + name
					+ "', but SSL bundles are not there: SslAutoConfiguration is excluded.");
		}
		return this.sslBundles.getBundle(name);
	}

}
