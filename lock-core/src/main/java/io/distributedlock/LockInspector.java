package io.distributedlock;

import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;

import org.jspecify.annotations.Nullable;

/**
 * What operators see of the locks: this instance's holders and waiters, and the store's
 * view of one lock. All methods are safe for use by many threads.
 */
public interface LockInspector {

	/**
	 * Returns the names of the stores.
	 * @return the names, the default store first
	 */
	List<String> stores();

	/**
	 * Returns the leases that this instance holds, longest held first.
	 * @return a snapshot
	 */
	List<HeldLock> held();

	/**
	 * Returns the keys that callers of this instance wait for, most callers first.
	 * @return a snapshot
	 */
	List<WaitedLock> waiting();

	/**
	 * Returns what happened at each lock name since this instance started, by name.
	 * @return a snapshot
	 */
	List<LockStatistics> statistics();

	/**
	 * Returns the keys that callers of this instance have waited for most in the last
	 * minutes, heaviest first. There are at most 128; of a key that has more than a
	 * hundredth of all waiting it is certain that it is among them.
	 * @return a snapshot
	 */
	List<HotLock> hotKeys();

	/**
	 * Tells what is known of lock names whose ttl follows their hold times
	 * ({@link AdaptiveTtl}).
	 * @return one entry for each such name that was used, sorted by name
	 */
	default List<ObservedHoldTime> observedHoldTimes() {
		return List.of();
	}

	/**
	 * Asks a store about one lock. Blocks until it has answered.
	 * @param key which lock
	 * @param store name of the store, or null for the default store
	 * @return what the store knows, empty if it knows nothing of the lock
	 * @throws LockStoreException if the store gave no answer
	 * @throws IllegalArgumentException if there is no such store, or it cannot tell
	 */
	Optional<StoredLock> find(LockKey key, @Nullable String store);

	/**
	 * Takes a lock away from its holder, tells the holder, and passes the lock to the
	 * next waiter. The holder's code may still run: only its fencing token keeps it from
	 * doing harm. Blocks until the store has answered.
	 * @param key which lock
	 * @param store name of the store, or null for the default store
	 * @param fencingToken a token of the grant that is to end, so that a grant that was
	 * made meanwhile is not hit
	 * @return true if the lock was held with that token and was taken away
	 * @throws LockStoreException if the store gave no answer
	 * @throws IllegalArgumentException if there is no such store, or it cannot do this
	 */
	boolean forceRelease(LockKey key, @Nullable String store, long fencingToken);

	/**
	 * A lease that this instance holds.
	 *
	 * @param key which lock
	 * @param store name of the store
	 * @param owner on whose behalf
	 * @param fencingToken its token, zero if it is held within this JVM only
	 * @param held how long it has been held
	 * @param remaining time to the deadline, zero if it is lost
	 * @param nested how many open leases share it, one or more
	 * @param waiters how many callers of this instance wait for the key
	 */
	record HeldLock(LockKey key, String store, String owner, long fencingToken, Duration held, Duration remaining,
			int nested, int waiters) {

		/**
		 * Tells whether it is held within this JVM only, since the store was out.
		 * @return true if there is no token
		 */
		public boolean isDegraded() {
			return this.fencingToken == 0;
		}

	}

	/**
	 * What is known of the hold times of a lock name whose ttl follows them.
	 *
	 * @param name what the lock protects
	 * @param holds how many holds have ended
	 * @param quantile 99.9 % of the recent ones did not take longer; at most 9 % too high
	 * @param ttl the ttl of new leases, or null while the configured one counts
	 */
	record ObservedHoldTime(String name, long holds, Duration quantile, @Nullable Duration ttl) {
	}

	/**
	 * A key that callers of this instance wait for.
	 *
	 * @param key which lock
	 * @param store name of the store
	 * @param waiters how many callers wait
	 * @param longestWait how long the first of them has waited
	 */
	record WaitedLock(LockKey key, String store, int waiters, Duration longestWait) {
	}

	/**
	 * A key that callers of this instance have waited for. What was long ago counts for
	 * less: half of it is gone every minute.
	 *
	 * @param key which lock
	 * @param store name of the store
	 * @param share of all waiting of this instance, from 0 to 1; not more than is certain
	 * @param waits about how many callers have waited
	 * @param longestWait the longest wait of about the last minute in which somebody
	 * waited
	 */
	record HotLock(LockKey key, String store, double share, long waits, Duration longestWait) {
	}

	/**
	 * What happened at one lock name since this instance started.
	 *
	 * @param name what the lock protects
	 * @param acquired leases granted, nested ones not counted
	 * @param refused callers that did not get the lock because of contention, a deadlock,
	 * interrupt or shutdown
	 * @param shed those of the refused that were refused at once, since they would
	 * probably have waited in vain
	 * @param failed callers that did not get the lock because of an outage
	 * @param lost leases lost
	 * @param localHandoffs how often the lock went from one local caller to the next
	 * @param totalWait sum of the waits of those that were granted the lock
	 * @param totalHold sum of the times it was held
	 */
	record LockStatistics(String name, long acquired, long refused, long shed, long failed, long lost,
			long localHandoffs, Duration totalWait, Duration totalHold) {
	}

	/**
	 * What a store knows of one lock.
	 *
	 * @param key which lock
	 * @param store name of the store
	 * @param state whether it is held, reserved for a waiter, cooling after a min-hold,
	 * or free with a queue
	 * @param instance the JVM that holds it or that it is reserved for, or null
	 * @param firstToken first fencing token of the grant, zero if not held
	 * @param lastToken last fencing token of the grant, zero if not held
	 * @param remaining how long the store keeps it without renewal
	 * @param queue the JVMs that wait, first one first; one that waits for several
	 * callers who have places of their own is there more than once
	 * @param shares the readers or the holders of permits, if it is shared
	 */
	record StoredLock(LockKey key, String store, State state, @Nullable String instance, long firstToken,
			long lastToken, Duration remaining, List<QueuedInstance> queue, List<StoredShare> shares) {

		/**
		 * State of a lock in its store.
		 */
		public enum State {

			/** A JVM holds it. */
			HELD,

			/** It was released and is kept for the first waiting JVM. */
			RESERVED,

			/** Nobody holds it, but its min-hold has not ended. */
			COOLING,

			/** Nobody holds it. */
			FREE,

			/** Several JVMs or callers can hold it at once: see the shares. */
			SHARED

		}

		/**
		 * Makes the record with an unmodifiable queue.
		 */
		public StoredLock {
			queue = List.copyOf(queue);
			shares = List.copyOf(shares);
		}

		/**
		 * Makes the record of a lock that is not shared.
		 * @param key which lock
		 * @param store name of the store
		 * @param state what it is
		 * @param instance the JVM that holds it or that it is reserved for, or null
		 * @param firstToken first fencing token of the grant, zero if not held
		 * @param lastToken last fencing token of the grant, zero if not held
		 * @param remaining how long the store keeps it without renewal
		 * @param queue the JVMs that wait, first one first
		 */
		public StoredLock(LockKey key, String store, State state, @Nullable String instance, long firstToken,
				long lastToken, Duration remaining, List<QueuedInstance> queue) {
			this(key, store, state, instance, firstToken, lastToken, remaining, queue, List.of());
		}

	}

	/**
	 * A JVM that waits in the store's queue.
	 *
	 * @param instance the JVM
	 * @param since when it began to wait, by the store's clock
	 * @param alive false if it has not shown itself for longer than a queue entry lives
	 */
	record QueuedInstance(String instance, Instant since, boolean alive) {
	}

	/**
	 * A share of a lock, as the store knows it.
	 *
	 * @param instance the JVM that has it, or null if it is kept by nobody
	 * @param state whether it is held, reserved or cooling
	 * @param token its fencing token, zero if it is not held; readers share one
	 * @param remaining how long the store keeps it without renewal
	 */
	record StoredShare(@Nullable String instance, StoredLock.State state, long token, Duration remaining) {
	}

}
