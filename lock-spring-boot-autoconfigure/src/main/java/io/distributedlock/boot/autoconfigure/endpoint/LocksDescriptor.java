package io.distributedlock.boot.autoconfigure.endpoint;

import java.time.Duration;
import java.util.List;

import org.jspecify.annotations.Nullable;

import org.springframework.boot.actuate.endpoint.OperationResponseBody;

/**
 * What one instance of the application holds and waits for. Other instances have their
 * own.
 *
 * @param instance the instance that gave this answer
 * @param stores names of the stores, the default store first
 * @param heldCount how many locks this instance holds
 * @param held the locks that it holds, longest held first, as many as asked for
 * @param waitingCount for how many keys callers of this instance wait
 * @param waiting the keys that callers wait for, most callers first, as many as asked for
 * @param hotKeys the keys that callers have waited for most in the last minutes, heaviest
 * first, ten at most
 * @param adaptiveTtls the lock names whose ttl follows their hold times
 * @param statistics what happened at each lock name since this instance started
 * @param error why this instance has no locks at all, null if it has: without locks
 * ({@code distributed-lock.enabled=false}) an application runs without a store too
 */
public record LocksDescriptor(String instance, List<String> stores, int heldCount, List<HeldLockDescriptor> held,
		int waitingCount, List<WaitedLockDescriptor> waiting, List<HotLockDescriptor> hotKeys,
		List<AdaptiveTtlDescriptor> adaptiveTtls, List<LockStatisticsDescriptor> statistics,
		@Nullable String error) implements OperationResponseBody {

	/**
	 * A lock that this instance holds.
	 *
	 * @param id name and key in one text
	 * @param name what the lock protects
	 * @param key the parts of the key
	 * @param store name of the store
	 * @param owner the thread or the owner that holds it
	 * @param token its fencing token
	 * @param held how long it has been held
	 * @param remaining how long it is held for certain without a renewal
	 * @param nested how many leases share it
	 * @param waiters how many callers of this instance wait for it
	 * @param degraded whether it is held within this instance only, since the store was
	 * out
	 */
	public record HeldLockDescriptor(String id, String name, List<String> key, String store, String owner, String token,
			Duration held, Duration remaining, int nested, int waiters, boolean degraded) {
	}

	/**
	 * A key that callers of this instance wait for.
	 *
	 * @param id name and key in one text
	 * @param name what the lock protects
	 * @param key the parts of the key
	 * @param store name of the store
	 * @param waiters how many callers wait
	 * @param longestWait how long the first of them has waited
	 */
	public record WaitedLockDescriptor(String id, String name, List<String> key, String store, int waiters,
			Duration longestWait) {
	}

	/**
	 * A key that callers of this instance have waited for.
	 *
	 * @param id name and key in one text
	 * @param name what the lock protects
	 * @param key the parts of the key
	 * @param store name of the store
	 * @param share of all waiting of this instance, from 0 to 1
	 * @param waits about how many callers have waited; what was a minute ago counts half
	 * @param longestWait the longest recent wait
	 */
	public record HotLockDescriptor(String id, String name, List<String> key, String store, double share, long waits,
			Duration longestWait) {
	}

	/**
	 * A lock name whose ttl follows its hold times.
	 *
	 * @param name what the lock protects
	 * @param holds how many holds have ended
	 * @param quantile 99.9 % of the recent ones did not take longer
	 * @param ttl the ttl of new leases, null while the configured one counts
	 */
	public record AdaptiveTtlDescriptor(String name, long holds, Duration quantile, @Nullable Duration ttl) {
	}

	/**
	 * What happened at one lock name.
	 *
	 * @param name what the lock protects
	 * @param acquired leases granted
	 * @param refused callers that did not get the lock because of contention, interrupt
	 * or shutdown
	 * @param shed those of the refused that were refused at once, since they would
	 * probably have waited in vain
	 * @param failed callers that did not get the lock because of an outage
	 * @param lost leases lost
	 * @param localHandoffs how often the lock went from one local caller to the next
	 * @param averageWait how long those that were granted the lock had waited
	 * @param averageHold how long the lock was held
	 */
	public record LockStatisticsDescriptor(String name, long acquired, long refused, long shed, long failed, long lost,
			long localHandoffs, Duration averageWait, Duration averageHold) {
	}

}
