package io.distributedlock.sample.servers;

import java.nio.file.Path;

import org.jspecify.annotations.Nullable;

import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;
import org.springframework.boot.system.ApplicationHome;

/**
 * Where the embedded servers live.
 *
 * @param directory Directory for programs and data of the servers; the project's
 * "target/servers" unless given.
 * @param redisPort Loopback port of the embedded Redis, 0 for a free one that is
 * remembered in the directory.
 * @param postgresPort Loopback port of the embedded PostgreSQL, 0 likewise.
 * @param etcdPort Loopback port of etcd, 0 likewise.
 * @param zookeeperPort Loopback port of the embedded ZooKeeper, 0 likewise.
 * @param redlockPort Loopback port of the first of the five Redis servers for Redlock,
 * the others follow; 0 for free ones.
 */
@ConfigurationProperties("seckill.servers")
record EmbeddedServersProperties(@Nullable Path directory, @DefaultValue("16379") int redisPort,
		@DefaultValue("15432") int postgresPort, @DefaultValue("12379") int etcdPort,
		@DefaultValue("12181") int zookeeperPort, @DefaultValue("16381") int redlockPort) {

	/**
	 * Returns the directory for one server. All instances of one build of the project
	 * agree on it, wherever they are started from.
	 * @param server name of the server
	 * @return an absolute path, which may not exist yet
	 */
	Path directoryOf(String server) {
		Path base = (this.directory != null) ? this.directory : defaultDirectory();
		return base.toAbsolutePath().normalize().resolve(server);
	}

	private static Path defaultDirectory() {
		ApplicationHome home = new ApplicationHome(EmbeddedServersProperties.class);
		Path source = (home.getSource() != null) ? home.getSource().toPath() : home.getDir().toPath();
		Path target = source.getParent();
		// target/classes, or a jar in target; any other place gets a directory of its own
		boolean build = target != null && target.endsWith("target");
		return build ? target.resolve("servers") : home.getDir().toPath().resolve("seckill-servers");
	}

}
