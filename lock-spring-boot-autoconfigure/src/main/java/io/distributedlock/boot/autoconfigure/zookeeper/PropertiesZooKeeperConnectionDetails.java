package io.distributedlock.boot.autoconfigure.zookeeper;

import org.jspecify.annotations.Nullable;

/**
 * Where ZooKeeper is, by properties.
 */
final class PropertiesZooKeeperConnectionDetails implements ZooKeeperConnectionDetails {

	private final String connectString;

	private final ZooKeeperLockProperties.Auth auth;

	PropertiesZooKeeperConnectionDetails(String connectString, ZooKeeperLockProperties.Auth auth) {
		this.connectString = connectString;
		this.auth = auth;
	}

	@Override
	public String getConnectString() {
		return this.connectString;
	}

	@Override
	public String getAuthScheme() {
		return this.auth.scheme();
	}

	@Override
	public @Nullable String getAuthCredentials() {
		return this.auth.credentials();
	}

}
