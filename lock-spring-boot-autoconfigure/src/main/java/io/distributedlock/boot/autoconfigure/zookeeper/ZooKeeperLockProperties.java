package io.distributedlock.boot.autoconfigure.zookeeper;

import java.time.Duration;

import org.jspecify.annotations.Nullable;

import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;

/**
 * Properties of the ZooKeeper store.
 *
 * @param enabled Whether there is a ZooKeeper store when ZooKeeper is configured. If not
 * set, there is none with the store "memory".
 * @param connectString Servers of the ensemble, such as "zk-1:2181,zk-2:2181,zk-3:2181".
 * @param namespace Node under which all locks are.
 * @param connectionTimeout How long to wait for the first connection.
 * @param tickTime The "tickTime" of the servers, or a longer time. Sessions live two
 * ticks longer than the ttl.
 * @param auth How to log in. With credentials, only this user may touch the locks.
 */
@ConfigurationProperties("distributed-lock.zookeeper")
record ZooKeeperLockProperties(@Nullable Boolean enabled, @Nullable String connectString,
		@DefaultValue("distributed-lock") String namespace, @DefaultValue("15s") Duration connectionTimeout,
		@DefaultValue("2s") Duration tickTime, @DefaultValue Auth auth) {

	ZooKeeperLockProperties {
		if (connectString != null && connectString.isBlank()) {
			throw new IllegalArgumentException("distributed-lock.zookeeper.connect-string is blank. Use host:port, more"
					+ " of them with commas between, such as zk-1:2181,zk-2:2181,zk-3:2181.");
		}
		if (connectString != null && connectString.contains("/")) {
			throw new IllegalArgumentException("distributed-lock.zookeeper.connect-string has a path. Use"
					+ " distributed-lock.zookeeper.namespace for it.");
		}
		if (namespace.isBlank() || namespace.startsWith("/") || namespace.endsWith("/") || namespace.contains("//")) {
			throw new IllegalArgumentException("distributed-lock.zookeeper.namespace is '" + namespace
					+ "'. Use a path without a slash at its ends, such as \"distributed-lock\".");
		}
		above("connection-timeout", connectionTimeout);
		above("tick-time", tickTime);
	}

	private static void above(String name, Duration value) {
		if (value.isNegative() || value.isZero()) {
			throw new IllegalArgumentException(
					"distributed-lock.zookeeper." + name + " is " + value.toMillis() + "ms, it must be above 0.");
		}
	}

	/**
	 * How to log in.
	 *
	 * @param scheme Scheme of the credentials.
	 * @param credentials What the scheme asks for: "user:password" for "digest". Nobody
	 * logs in if it is not set.
	 */
	record Auth(@DefaultValue("digest") String scheme, @Nullable String credentials) {

		Auth {
			if (scheme.equals("digest") && credentials != null && credentials.indexOf(':') < 1) {
				throw new IllegalArgumentException(
						"distributed-lock.zookeeper.auth.credentials must be user:password for the scheme digest.");
			}
		}

	}

}
