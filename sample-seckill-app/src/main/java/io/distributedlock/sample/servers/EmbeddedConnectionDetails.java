package io.distributedlock.sample.servers;

import java.net.URI;
import java.util.List;

import io.distributedlock.boot.autoconfigure.etcd.EtcdConnectionDetails;
import io.distributedlock.boot.autoconfigure.redlock.RedlockConnectionDetails;
import io.distributedlock.boot.autoconfigure.zookeeper.ZooKeeperConnectionDetails;

import org.springframework.boot.data.redis.autoconfigure.DataRedisConnectionDetails;
import org.springframework.boot.jdbc.autoconfigure.JdbcConnectionDetails;

/**
 * Where the clients find the embedded servers.
 */
final class EmbeddedConnectionDetails {

	private EmbeddedConnectionDetails() {
	}

	/**
	 * For Spring Data Redis.
	 */
	static final class Redis implements DataRedisConnectionDetails {

		private final ServerSite site;

		Redis(ServerSite site) {
			this.site = site;
		}

		@Override
		public String getPassword() {
			return this.site.password();
		}

		@Override
		public Standalone getStandalone() {
			return Standalone.of(ServerSite.HOST, this.site.port());
		}

	}

	/**
	 * For the data source.
	 */
	static final class Postgres implements JdbcConnectionDetails {

		private final ServerSite site;

		private final String database;

		Postgres(ServerSite site, String database) {
			this.site = site;
			this.database = database;
		}

		@Override
		public String getUsername() {
			return PostgresProgram.USER;
		}

		@Override
		public String getPassword() {
			return this.site.password();
		}

		@Override
		public String getJdbcUrl() {
			return PostgresProgram.url(this.site, this.database);
		}

	}

	/**
	 * For the etcd store.
	 */
	static final class Etcd implements EtcdConnectionDetails {

		private final ServerSite site;

		Etcd(ServerSite site) {
			this.site = site;
		}

		@Override
		public List<URI> getEndpoints() {
			return List.of(EtcdProgram.url(this.site));
		}

		@Override
		public String getUsername() {
			return EtcdProgram.USER;
		}

		@Override
		public String getPassword() {
			return this.site.password();
		}

	}

	/**
	 * For the ZooKeeper store.
	 */
	static final class ZooKeeper implements ZooKeeperConnectionDetails {

		private final ServerSite site;

		ZooKeeper(ServerSite site) {
			this.site = site;
		}

		@Override
		public String getConnectString() {
			return ServerSite.HOST + ":" + this.site.port();
		}

		@Override
		public String getAuthCredentials() {
			return ZooKeeperProgram.USER + ":" + this.site.password();
		}

	}

	/**
	 * For the Redlock store.
	 */
	static final class Redlock implements RedlockConnectionDetails {

		private final List<ServerSite> sites;

		Redlock(List<ServerSite> sites) {
			this.sites = sites;
		}

		@Override
		public List<String> getNodes() {
			return this.sites.stream()
				.map((site) -> "redis://:" + site.password() + "@" + ServerSite.HOST + ":" + site.port())
				.toList();
		}

	}

}
