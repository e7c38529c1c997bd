package io.distributedlock.boot.autoconfigure.zookeeper;

import org.jspecify.annotations.Nullable;

import org.springframework.boot.autoconfigure.service.connection.ConnectionDetails;

/**
 * Where ZooKeeper is and how to log in. A bean of this type, as of a container in a test,
 * wins over {@code distributed-lock.zookeeper.*}.
 */
public interface ZooKeeperConnectionDetails extends ConnectionDetails {

	/**
	 * Returns where the servers of the ensemble are.
	 * @return such as {@code zk-1:2181,zk-2:2181,zk-3:2181}
	 */
	String getConnectString();

	/**
	 * Returns how to log in.
	 * @return the scheme, such as {@code digest}
	 */
	default String getAuthScheme() {
		return "digest";
	}

	/**
	 * Returns what the scheme asks for.
	 * @return for {@code digest}, user and password with a colon between them; null to
	 * log in as nobody
	 */
	default @Nullable String getAuthCredentials() {
		return null;
	}

}
