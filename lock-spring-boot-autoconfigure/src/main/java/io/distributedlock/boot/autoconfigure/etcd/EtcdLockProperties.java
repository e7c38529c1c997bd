package io.distributedlock.boot.autoconfigure.etcd;

import java.net.URI;
import java.net.URISyntaxException;
import java.util.ArrayList;
import java.util.List;

import org.jspecify.annotations.Nullable;

import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;

/**
 * Properties of the etcd store.
 *
 * @param enabled Whether there is an etcd store when etcd is configured. If not set,
 * there is none with the store "memory".
 * @param endpoints Members of the etcd cluster, such as "http://etcd-1:2379". "https"
 * means TLS.
 * @param username User, if etcd asks for one.
 * @param password Password of the user.
 * @param prefix What all keys in etcd begin with.
 * @param ssl TLS to etcd.
 */
@ConfigurationProperties("distributed-lock.etcd")
record EtcdLockProperties(@Nullable Boolean enabled, @DefaultValue List<String> endpoints, @Nullable String username,
		@Nullable String password, @DefaultValue("/distributed-lock/") String prefix, @DefaultValue Ssl ssl) {

	EtcdLockProperties {
		endpoints = List.copyOf(endpoints);
		List<URI> uris = uris(endpoints);
		boolean tls = uris.stream().anyMatch((uri) -> uri.getScheme().equals("https"));
		if (tls && !uris.stream().allMatch((uri) -> uri.getScheme().equals("https"))) {
			throw new IllegalArgumentException(
					"distributed-lock.etcd.endpoints mixes http and https. Use one of them.");
		}
		if (ssl.bundle() != null && !tls && !uris.isEmpty()) {
			throw new IllegalArgumentException("distributed-lock.etcd.ssl.bundle is set, but the endpoints begin with"
					+ " http://. Write https://, or take the bundle out.");
		}
		if ((username == null) != (password == null)) {
			throw new IllegalArgumentException(
					"distributed-lock.etcd has only one of username and password. Set both, or neither.");
		}
		if (prefix.isBlank()) {
			throw new IllegalArgumentException(
					"distributed-lock.etcd.prefix is blank. Use something like \"/distributed-lock/\".");
		}
	}

	List<URI> uris() {
		return uris(this.endpoints);
	}

	private static List<URI> uris(List<String> endpoints) {
		List<URI> uris = new ArrayList<>();
		for (String endpoint : endpoints) {
			try {
				URI uri = new URI(endpoint.contains("://") ? endpoint.trim() : "http://" + endpoint.trim());
				if (!List.of("http", "https").contains(uri.getScheme()) || uri.getHost() == null || uri.getPort() == -1
						|| uri.getUserInfo() != null) {
					throw notUsable();
				}
				uris.add(uri);
			}
			catch (URISyntaxException ex) {
				throw notUsable();
			}
		}
		return uris;
	}

	// Does not repeat the value: it may hold a password.
	private static IllegalArgumentException notUsable() {
		return new IllegalArgumentException("distributed-lock.etcd.endpoints has an entry that is not usable. Use"
				+ " http://host:port or https://host:port, such as http://etcd-1:2379; user and password go into"
				+ " distributed-lock.etcd.username and .password.");
	}

	/**
	 * TLS to etcd.
	 *
	 * @param bundle Name of the SSL bundle with the certificates. For "https" without a
	 * bundle, those of the JVM are used.
	 */
	record Ssl(@Nullable String bundle) {
	}

}
