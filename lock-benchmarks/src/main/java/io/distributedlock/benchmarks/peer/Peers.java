package io.distributedlock.benchmarks.peer;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

import org.redisson.api.RedissonClient;

import org.springframework.integration.redis.util.RedisLockRegistry.RedisLockType;

/**
 * All peers.
 */
public final class Peers {

	/** Name of the baseline. */
	public static final String RAW = "raw";

	/** Name of this library. */
	public static final String OURS = "ours";

	/** Name of this library in strict order. */
	public static final String OURS_STRICT = "ours-strict";

	/** Name of this library on five Redis servers. */
	public static final String OURS_REDLOCK = "ours-redlock";

	/** Name of this library on PostgreSQL. */
	public static final String OURS_JDBC = "ours-jdbc";

	/** Name of this library on etcd. */
	public static final String OURS_ETCD = "ours-etcd";

	/** Name of this library on ZooKeeper. */
	public static final String OURS_ZOOKEEPER = "ours-zookeeper";

	/** Name of this library on its in-memory store. */
	public static final String OURS_MEMORY = "ours-memory";

	/** Name of Spring Integration's locks in a database. */
	public static final String SI_JDBC = "si-jdbc";

	/** Name of the lock service of etcd. */
	public static final String JETCD = "jetcd";

	/** Name of Curator's lock. */
	public static final String CURATOR = "curator";

	private static final Map<String, Peer> ALL = new LinkedHashMap<>();

	static {
		add(Peer.baseline(RAW, "raw SET NX + script", RawClient::new));
		add(Peer.ours(OURS, "this library", Backend.REDIS, (server, prefix) -> OurClient.redis(server, prefix, false)));
		add(Peer
			.ours(OURS_STRICT, "this library, fair", Backend.REDIS,
					(server, prefix) -> OurClient.redis(server, prefix, true))
			.thatIsFair());
		add(Peer.redis("redisson", "Redisson RLock",
				(server, prefix) -> new RedissonPeer(server, prefix, RedissonClient::getLock)));
		add(Peer
			.redis("redisson-fair", "Redisson fair lock",
					(server, prefix) -> new RedissonPeer(server, prefix, RedissonClient::getFairLock))
			.thatIsFair());
		add(Peer.redis("redisson-spin", "Redisson spin lock",
				(server, prefix) -> new RedissonPeer(server, prefix, RedissonClient::getSpinLock)));
		add(Peer.redis("redisson-fenced", "Redisson fenced lock",
				(server, prefix) -> new RedissonPeer(server, prefix, RedissonClient::getFencedLock)));
		add(Peer.redis("si-spin", "Spring Integration Redis, spin",
				(server, prefix) -> SpringIntegrationPeer.redis(server, prefix, RedisLockType.SPIN_LOCK)));
		add(Peer.redis("si-pubsub", "Spring Integration Redis, pub-sub",
				(server, prefix) -> SpringIntegrationPeer.redis(server, prefix, RedisLockType.PUB_SUB_LOCK)));
		add(Peer.redis("lock4j", "Lock4j, RedisTemplate", Lock4jPeer::new));
		add(Peer.redis("shedlock", "ShedLock Redis", ShedLockPeer::redis).thatOnlyTries());
		add(Peer.other(SI_JDBC, "Spring Integration JDBC", Backend.POSTGRES, SpringIntegrationPeer::jdbc));
		add(Peer.other("shedlock-jdbc", "ShedLock JDBC", Backend.POSTGRES, ShedLockPeer::jdbc).thatOnlyTries());
		add(Peer.other(JETCD, "jetcd Lock", Backend.ETCD, JetcdPeer::new));
		add(Peer.other(CURATOR, "Curator InterProcessMutex", Backend.ZOOKEEPER, CuratorPeer::new));
		add(Peer.ours("ours-replica", "this library, Redis, waiting for a replica", Backend.REDIS_REPLICATED,
				OurClient::replicatedRedis));
		add(Peer.oursOnAll(OURS_REDLOCK, "this library, Redlock", Backend.REDIS_FIVE, OurClient::redlock));
		add(Peer.ours(OURS_JDBC, "this library, JDBC", Backend.POSTGRES, OurClient::jdbc));
		add(Peer.ours(OURS_ETCD, "this library, etcd", Backend.ETCD, OurClient::etcd));
		add(Peer.ours(OURS_ZOOKEEPER, "this library, ZooKeeper", Backend.ZOOKEEPER, OurClient::zooKeeper));
		add(Peer.oursOnAll(OURS_MEMORY, "this library, in memory", Backend.MEMORY,
				(servers, prefix) -> OurClient.memory()));
	}

	private Peers() {
	}

	private static void add(Peer peer) {
		ALL.put(peer.name(), peer);
	}

	/**
	 * Returns all peers.
	 * @return the peers, in the order of tables
	 */
	public static List<Peer> all() {
		return List.copyOf(ALL.values());
	}

	/**
	 * Finds a peer.
	 * @param name its name
	 * @return the peer
	 * @throws IllegalArgumentException if there is none
	 */
	public static Peer get(String name) {
		Peer peer = ALL.get(name);
		if (peer == null) {
			throw new IllegalArgumentException("There is no peer '" + name + "'. There is " + ALL.keySet());
		}
		return peer;
	}

}
