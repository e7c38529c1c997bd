package io.distributedlock.benchmarks.lease;

import java.time.Duration;
import java.util.Set;

import io.distributedlock.benchmarks.peer.Address;
import io.distributedlock.benchmarks.peer.PeerClient;
import io.distributedlock.benchmarks.peer.SpringIntegrationPeer;

/**
 * The peers that can be told how long a lock lives without renewal, and renew it.
 */
final class LeasePeers {

	static final String OURS = "ours";

	static final String REDISSON = "redisson";

	static final String SPRING_INTEGRATION = "si-pubsub";

	/** Those whose locks can be asked whether they are still held. */
	static final Set<String> WITH_CHECK = Set.of(OURS, REDISSON);

	/** All of them. */
	static final Set<String> ALL = Set.of(OURS, REDISSON, SPRING_INTEGRATION);

	private LeasePeers() {
	}

	static PeerClient connect(String peer, Address server, String prefix, Duration ttl) {
		return switch (peer) {
			case OURS -> new OurLeases(server, prefix, ttl);
			case REDISSON -> new RedissonLeases(server, prefix, ttl);
			case SPRING_INTEGRATION -> SpringIntegrationPeer.renewing(server, prefix, ttl);
			default -> throw new IllegalArgumentException("'" + peer + "' has no ttl that could be set here");
		};
	}

}
