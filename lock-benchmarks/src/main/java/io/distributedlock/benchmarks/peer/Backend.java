package io.distributedlock.benchmarks.peer;

/**
 * The kind of server that keeps a peer's locks.
 */
public enum Backend {

	/** Redis. */
	REDIS("Redis", "commands"),

	/** Redis with a replica. */
	REDIS_REPLICATED("Redis with a replica", "commands"),

	/** Five Redis servers that know nothing of each other. */
	REDIS_FIVE("Five Redis servers", "commands"),

	/** PostgreSQL. */
	POSTGRES("PostgreSQL", "statements"),

	/** etcd. */
	ETCD("etcd", "requests"),

	/** ZooKeeper. */
	ZOOKEEPER("ZooKeeper", "requests"),

	/** None: locks are in the memory of one JVM. */
	MEMORY("In memory", "requests");

	private final String title;

	private final String requests;

	Backend(String title, String requests) {
		this.title = title;
		this.requests = requests;
	}

	/**
	 * Returns what it is called in tables.
	 * @return the title
	 */
	public String title() {
		return this.title;
	}

	/**
	 * Returns what its counter of requests counts.
	 * @return a plural
	 */
	public String requests() {
		return this.requests;
	}

}
