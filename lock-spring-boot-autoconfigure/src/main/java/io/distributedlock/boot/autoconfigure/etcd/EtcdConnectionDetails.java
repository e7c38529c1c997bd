package io.distributedlock.boot.autoconfigure.etcd;

import java.net.URI;
import java.util.List;

import org.jspecify.annotations.Nullable;

import org.springframework.boot.autoconfigure.service.connection.ConnectionDetails;
import org.springframework.boot.ssl.SslBundle;

/**
 * Where etcd is and how to log in. A bean of this type, as of a container in a test, wins
 * over {@code distributed-lock.etcd.*}.
 */
public interface EtcdConnectionDetails extends ConnectionDetails {

	/**
	 * Returns where the members of the cluster are.
	 * @return one or more, such as {@code http://etcd-1:2379}
	 */
	List<URI> getEndpoints();

	/**
	 * Returns the user.
	 * @return the user, or null if etcd asks for none
	 */
	default @Nullable String getUsername() {
		return null;
	}

	/**
	 * Returns the user's password.
	 * @return the password, or null if etcd asks for none
	 */
	default @Nullable String getPassword() {
		return null;
	}

	/**
	 * Returns what TLS needs.
	 * @return the bundle, or null for the JVM's own certificates, if an endpoint is
	 * {@code https}
	 */
	default @Nullable SslBundle getSslBundle() {
		return null;
	}

}
