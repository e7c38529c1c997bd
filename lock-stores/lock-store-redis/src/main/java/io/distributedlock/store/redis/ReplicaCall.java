package io.distributedlock.store.redis;

import java.util.List;

/**
 * A script call whose grants have to reach replicas.
 *
 * @param script which script
 * @param withSource whether to send its text
 * @param keys its keys
 * @param arguments its arguments
 * @param asking whether its slot is just arriving at the node that it goes to
 * @param redirects how often a Cluster has sent it on
 * @param answer takes what the script and the replicas say
 */
record ReplicaCall(LockScript script, boolean withSource, List<byte[]> keys, List<byte[]> arguments, boolean asking,
		int redirects, RedisTransport.ReplicatedAnswer answer) {

	/** How much earlier than its caller a server gives up to wait, in milliseconds. */
	private static final long MARGIN = 10;

	/**
	 * Tells whether it keeps grants alive. Such calls have connections of their own: they
	 * must not stand in line behind those that want grants, each of which may wait for
	 * replicas for as long as it is allowed to.
	 */
	boolean renews() {
		return this.script.renews();
	}

	ReplicaCall redirected(boolean ask) {
		return new ReplicaCall(this.script, this.withSource, this.keys, this.arguments, ask, this.redirects + 1,
				this.answer);
	}

	/**
	 * Returns how long a server may wait for its replicas now: as the rule says, but not
	 * until nobody waits for the answer any more. Zero would be for ever.
	 * @return milliseconds, one or more
	 */
	long patience(ReplicaRule rule) {
		long left = (this.answer.deadline() - System.nanoTime()) / 1_000_000;
		return Math.max(1, Math.min(rule.timeout().toMillis(), left - Math.max(MARGIN, left / 10)));
	}

}
