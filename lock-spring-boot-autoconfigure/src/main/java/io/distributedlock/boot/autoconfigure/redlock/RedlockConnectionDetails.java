package io.distributedlock.boot.autoconfigure.redlock;

import java.util.List;

import org.jspecify.annotations.Nullable;

import org.springframework.boot.autoconfigure.service.connection.ConnectionDetails;
import org.springframework.boot.ssl.SslBundle;

/**
 * Where the Redis servers of Redlock are and how to log in. A bean of this type wins over
 * {@code distributed-lock.redlock.*}.
 */
public interface RedlockConnectionDetails extends ConnectionDetails {

	/**
	 * Returns where the servers are.
	 * @return three or more: {@code host:port}, or {@code redis://} or {@code rediss://}
	 * URLs
	 */
	List<String> getNodes();

	/**
	 * Returns the user of nodes that bring none in their URL.
	 * @return the user, or null
	 */
	default @Nullable String getUsername() {
		return null;
	}

	/**
	 * Returns the password of nodes that bring none in their URL.
	 * @return the password, or null
	 */
	default @Nullable String getPassword() {
		return null;
	}

	/**
	 * Returns what TLS needs. It switches TLS on for all nodes.
	 * @return the bundle, or null
	 */
	default @Nullable SslBundle getSslBundle() {
		return null;
	}

}
