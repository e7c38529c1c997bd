package io.distributedlock.boot.autoconfigure;

import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;

import org.jspecify.annotations.Nullable;

/**
 * The stores that come with this project, and what each needs to be there.
 */
enum KnownStore {

	/** A Redis server, Sentinel or Cluster. */
	REDIS("the dependency io.distributedlock:lock-spring-boot-starter, and spring.data.redis.* for your server"
			+ " (beside distributed-lock.redlock.nodes also distributed-lock.redis.enabled=true)"),

	/** A quorum of Redis servers. */
	REDLOCK("the dependency io.distributedlock:lock-spring-boot-starter, and distributed-lock.redlock.nodes with at"
			+ " least three servers"),

	/** A database. */
	JDBC("the dependency io.distributedlock:lock-spring-boot-starter-jdbc, and a DataSource, such as of"
			+ " spring.datasource.url"),

	/** An etcd cluster. */
	ETCD("the dependency io.distributedlock:lock-spring-boot-starter-etcd, and distributed-lock.etcd.endpoints"),

	/** A ZooKeeper ensemble. */
	ZOOKEEPER("the dependency io.distributedlock:lock-spring-boot-starter-zookeeper, and"
			+ " distributed-lock.zookeeper.connect-string"),

	/** This JVM. */
	MEMORY("the dependency io.distributedlock:lock-test");

	private final String needs;

	KnownStore(String needs) {
		this.needs = needs;
	}

	/**
	 * Says what a store needs.
	 * @param name name of the store
	 * @return a sentence, empty if the store is not one of these
	 */
	static Optional<String> needs(@Nullable String name) {
		return Arrays.stream(values())
			.filter((store) -> store.name().toLowerCase(Locale.ROOT).equals(name))
			.map((store) -> "The store '" + name + "' needs " + store.needs + "; and distributed-lock." + name
					+ ".enabled must not be false.")
			.findFirst();
	}

}
