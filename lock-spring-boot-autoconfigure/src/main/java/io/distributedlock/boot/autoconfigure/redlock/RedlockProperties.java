package io.distributedlock.boot.autoconfigure.redlock;

import java.time.Duration;
import java.util.List;

import io.distributedlock.boot.autoconfigure.RedisPrefix;
import org.jspecify.annotations.Nullable;

import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;

/**
 * Properties of the Redlock store.
 *
 * @param enabled Whether there is a Redlock store when there are nodes. If not set, there
 * is none with the store "memory".
 * @param nodes Independent Redis servers, at least three and best an odd number:
 * "host:port", or "redis://" or "rediss://" URLs.
 * @param username User of all nodes that bring none in their URL.
 * @param password Password of all nodes that bring none in their URL.
 * @param prefix What all keys in Redis begin with.
 * @param nodeTimeout How long one node may take to answer, before the others decide
 * without it.
 * @param ssl TLS to the nodes.
 */
@ConfigurationProperties("distributed-lock.redlock")
record RedlockProperties(@Nullable Boolean enabled, @DefaultValue List<String> nodes, @Nullable String username,
		@Nullable String password, @DefaultValue("lock:") String prefix, @Nullable Duration nodeTimeout,
		@DefaultValue Ssl ssl) {

	RedlockProperties {
		nodes = List.copyOf(nodes);
		if (!nodes.isEmpty()) {
			RedlockNode.check(nodes);
		}
		if (nodeTimeout != null && (nodeTimeout.isNegative() || nodeTimeout.isZero())) {
			throw new IllegalArgumentException(
					"distributed-lock.redlock.node-timeout is " + nodeTimeout.toMillis() + "ms, it must be above 0.");
		}
		RedisPrefix.check("distributed-lock.redlock.prefix", prefix);
	}

	/**
	 * TLS to the nodes.
	 *
	 * @param bundle Name of the SSL bundle with the certificates. It switches TLS on for
	 * all nodes. For "rediss" without a bundle, those of the JVM are used.
	 */
	record Ssl(@Nullable String bundle) {
	}

}
