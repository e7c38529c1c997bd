package io.distributedlock.store.zookeeper;

import java.time.Duration;
import java.util.concurrent.ScheduledFuture;

import org.jspecify.annotations.Nullable;

import io.distributedlock.LockKey;
import io.distributedlock.spi.AttemptId;

/**
 * A grant that this JVM has. Its node is in ZooKeeper as long as its session lives, so it
 * is this object that ends it after its ttl.
 */
final class Grant {

	final LockKey lockKey;

	final LocalKey key;

	final AttemptId attempt;

	final SessionKeeper keeper;

	final Link link;

	final long first;

	final int size;

	/** Whether others may have the key as well. */
	final boolean shared;

	/** A version of the bucket under which the grant was seen to be there. */
	volatile int fence;

	/**
	 * Whether nobody waited under that version. Only then does whoever takes the key away
	 * from this grant have to raise it.
	 */
	private volatile boolean quiet;

	/** Whether a command that ends or moves the grant was sent and had no answer. */
	private volatile boolean unsure;

	private long armedAt;

	/** When the ttl is over, by {@link System#nanoTime()}. */
	private volatile long deadline;

	volatile boolean ended;

	volatile @Nullable ScheduledFuture<?> timer;

	Grant(LockKey lockKey, LocalKey key, AttemptId attempt, SessionKeeper keeper, Link link, long first, int size,
			int fence, boolean quiet, long sent, Duration ttl) {
		this(lockKey, key, attempt, keeper, link, first, size, fence, quiet, sent, ttl, false);
	}

	private Grant(LockKey lockKey, LocalKey key, AttemptId attempt, SessionKeeper keeper, Link link, long first,
			int size, int fence, boolean quiet, long sent, Duration ttl, boolean shared) {
		this.lockKey = lockKey;
		this.key = key;
		this.attempt = attempt;
		this.keeper = keeper;
		this.link = link;
		this.first = first;
		this.size = size;
		this.fence = fence;
		this.quiet = quiet;
		this.armedAt = sent;
		this.deadline = sent + ttl.toNanos();
		this.shared = shared;
	}

	/** A share, which is always looked at before it is changed. */
	static Grant share(LockKey lockKey, LocalKey key, AttemptId attempt, SessionKeeper keeper, Link link, long token,
			long sent, Duration ttl) {
		return new Grant(lockKey, key, attempt, keeper, link, token, 1, 0, false, sent, ttl, true);
	}

	/**
	 * Returns what there is of this grant.
	 * @param view what was read of its key
	 * @return what it has, or null if it is gone
	 */
	@Nullable HeldRecord in(View view) {
		HeldRecord found = this.shared ? view.waitingOrEmpty().heldShare(this.attempt) : view.held();
		return (view.fence() != null && found != null && found.attempt().equals(this.attempt)) ? found : null;
	}

	/**
	 * The grant was seen to be there.
	 * @param version the version of the bucket
	 * @param nobodyWaits whether nobody waited under it
	 */
	void seen(int version, boolean nobodyWaits) {
		this.fence = version;
		this.quiet = nobodyWaits;
	}

	/** From now on the key's node is looked at before it is changed. */
	void unsure() {
		this.unsure = true;
	}

	/**
	 * Tells whether the version of the bucket alone shows that the key's node is this
	 * grant's.
	 * @param known what is known of the bucket
	 */
	boolean isShownBy(View.@Nullable Fence known) {
		return this.quiet && !this.unsure && known != null && known.version() == this.fence
				&& !known.names(this.key.id());
	}

	long deadline() {
		return this.deadline;
	}

	boolean isAlive() {
		return !this.link.hasEnded() && isNotOver();
	}

	/**
	 * Tells whether its holder may count on it, as far as the session does not matter.
	 */
	boolean isNotOver() {
		return !this.ended && System.nanoTime() - this.deadline < 0;
	}

	/** Counts the ttl from a sending; of several, the latest one counts. */
	synchronized void arm(long sent, Duration ttl) {
		if (sent - this.armedAt >= 0) {
			this.armedAt = sent;
			this.deadline = sent + ttl.toNanos();
		}
	}

	/**
	 * Counts the ttl from a sending, unless the grant is over.
	 * @return false if it is over
	 */
	synchronized boolean renew(long sent, Duration ttl) {
		if (!isAlive()) {
			return false;
		}
		arm(sent, ttl);
		return true;
	}

	/**
	 * Makes sure that no renewal succeeds any more.
	 * @return false if it has been renewed
	 */
	synchronized boolean expire() {
		if (isNotOver()) {
			return false;
		}
		this.ended = true;
		return true;
	}

}
