package io.distributedlock.boot.autoconfigure;

import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.Supplier;

import io.distributedlock.AdaptiveTtl;
import io.distributedlock.LockPolicy;
import io.distributedlock.LockSettings;
import io.distributedlock.OnOutage;
import io.distributedlock.spring.OnActiveTransaction;
import org.jspecify.annotations.Nullable;

import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;

/**
 * Properties of distributed locks.
 *
 * @param enabled Whether methods with @DistributedLock take their lock. If not, they run
 * without, which is logged once at start-up. Read at run time.
 * @param store Name of the store of locks that name none. Needed only if there are
 * several stores. "memory" chooses a store within this JVM, for development and tests,
 * and switches off the others unless they are enabled explicitly.
 * @param ttl How long the store keeps a lock if its instance dies or is cut off. Does not
 * limit how long a lock is held, since it is renewed.
 * @param waitTime How long a caller is willing to wait for a lock. Zero is one try.
 * @param renew Whether locks are renewed while they are held.
 * @param minHold How long a lock stays taken at least, counted from acquisition.
 * @param maxHold After this time from acquisition a lock is not renewed any more, so that
 * a hung holder loses it.
 * @param locks Settings of single locks, by lock name. They win over the annotation.
 * @param handoff How callers of one instance hand a lock to each other.
 * @param recheck How often an instance that waits for a lock asks the store again, in
 * case a signal was lost. At most half of the reservation.
 * @param reservation How long a lock that was released is kept for the instance whose
 * turn it is.
 * @param commandTimeout How long a command to the store may take. At most a sixth of the
 * ttl is used.
 * @param instanceId What this instance is called where holders and waiters are shown. A
 * random suffix makes it unique. Host and process by default.
 * @param deadlockDetection How callers that wait for each other are found.
 * @param shutdown How locks end with the application.
 * @param transaction How locks and transactions go together.
 * @param redis Settings of the Redis store.
 * @param memory Settings of the store within this JVM.
 */
@ConfigurationProperties("distributed-lock")
public record DistributedLockProperties(@DefaultValue("true") boolean enabled, @Nullable String store,
		@DefaultValue("30s") Duration ttl, @DefaultValue("3s") Duration waitTime, @DefaultValue("true") boolean renew,
		@DefaultValue("0s") Duration minHold, @DefaultValue("1h") Duration maxHold,
		@DefaultValue Map<String, Lock> locks, @DefaultValue Handoff handoff, @DefaultValue("400ms") Duration recheck,
		@DefaultValue("1s") Duration reservation, @DefaultValue("1s") Duration commandTimeout,
		@Nullable String instanceId, @DefaultValue DeadlockDetection deadlockDetection, @DefaultValue Shutdown shutdown,
		@DefaultValue Transaction transaction, @DefaultValue Redis redis, @DefaultValue Memory memory) {

	/**
	 * Checks the properties, each and together.
	 * @throws IllegalArgumentException if one is out of range; the message says what to
	 * type
	 */
	public DistributedLockProperties {
		locks = Map.copyOf(locks);
		above("distributed-lock.recheck", recheck);
		above("distributed-lock.reservation", reservation);
		above("distributed-lock.command-timeout", commandTimeout);
		if (recheck.multipliedBy(2).compareTo(reservation) > 0) {
			throw new IllegalArgumentException("distributed-lock.recheck is " + recheck.toMillis()
					+ "ms, more than half of distributed-lock.reservation (" + reservation.toMillis()
					+ "ms): a lost signal would cost a waiter its turn. Lower recheck or raise reservation.");
		}
		LockSettings defaults = settings("distributed-lock", () -> settings(ttl, waitTime, renew, minHold, maxHold));
		locks
			.forEach((name, lock) -> settings("distributed-lock.locks." + name, () -> lock.checked().orElse(defaults)));
	}

	private static void above(String name, Duration value) {
		if (value.isNegative() || value.isZero()) {
			throw new IllegalArgumentException(name + " is " + value.toMillis() + "ms, it must be above 0.");
		}
	}

	private static LockSettings settings(String where, Supplier<LockSettings> settings) {
		try {
			return settings.get();
		}
		catch (IllegalArgumentException ex) {
			// Without the cause, which would be shown instead and names no property.
			throw new IllegalArgumentException(where + ": " + ex.getMessage());
		}
	}

	/**
	 * Returns what holds for all locks.
	 * @return the settings, all given but the store
	 */
	LockSettings toSettings() {
		return settings(this.ttl, this.waitTime, this.renew, this.minHold, this.maxHold);
	}

	private static LockSettings settings(Duration ttl, Duration waitTime, boolean renew, Duration minHold,
			Duration maxHold) {
		return LockSettings.DEFAULTS.withTtl(ttl)
			.withWaitTime(waitTime)
			.withRenew(renew)
			.withMinHold(null)
			.withMaxHold(maxHold)
			.withMinHold(minHold);
	}

	/**
	 * Returns what holds for single locks.
	 * @return the settings by lock name
	 */
	Map<String, LockSettings> toLockSettings() {
		Map<String, LockSettings> settings = new LinkedHashMap<>();
		this.locks.forEach((name, lock) -> settings.put(name, lock.toSettings()));
		return settings;
	}

	/**
	 * Returns what is decided about single locks, whatever the code asks for.
	 * @return gives the policy of a lock name, or null if nothing is decided about any
	 */
	@Nullable Function<String, LockPolicy> toPolicies() {
		Map<String, LockPolicy> policies = new LinkedHashMap<>();
		this.locks.forEach((name, lock) -> policies.put(name, lock.toPolicy()));
		if (policies.values().stream().allMatch(LockPolicy.DEFAULT::equals)) {
			return null;
		}
		return (name) -> LockNames.entryFor(name, policies.keySet()).map(policies::get).orElse(LockPolicy.DEFAULT);
	}

	/**
	 * Finds the entry of a lock, whose name may be written as property names are.
	 * @param name name of the lock
	 * @return its entry, if it has one
	 */
	public Optional<Lock> entryFor(String name) {
		return LockNames.entryFor(name, this.locks.keySet()).map(this.locks::get);
	}

	/**
	 * Settings of one lock. What is left out comes from the annotation, then from the
	 * settings of all locks.
	 *
	 * @param ttl How long the store keeps the lock if its instance dies or is cut off.
	 * @param waitTime How long a caller is willing to wait for the lock. Zero is one try.
	 * @param renew Whether the lock is renewed while it is held.
	 * @param minHold How long the lock stays taken at least, counted from acquisition.
	 * @param maxHold After this time from acquisition the lock is not renewed any more.
	 * @param keep Whether the lock stays taken until its ttl from acquisition is over, if
	 * the method ends normally.
	 * @param fair Whether callers of all instances get the lock strictly in the order in
	 * which they came.
	 * @param permits How many callers in the cluster may hold the lock at once.
	 * @param shed Whether callers are refused at once who, as it looks, cannot be served
	 * within their wait time.
	 * @param store Name of the store that keeps the lock.
	 * @param adaptiveTtl How the ttl follows the time for which the lock is held, for
	 * locks that are not renewed.
	 * @param onOutage What happens while the store is out. With "local", callers run
	 * under a lock of their instance only.
	 */
	public record Lock(@Nullable Duration ttl, @Nullable Duration waitTime, @Nullable Boolean renew,
			@Nullable Duration minHold, @Nullable Duration maxHold, @Nullable Boolean keep, @Nullable Boolean fair,
			@Nullable Integer permits, @Nullable Boolean shed, @Nullable String store,
			@Nullable AdaptiveTtlProperties adaptiveTtl, @DefaultValue("fail") OnOutage onOutage) {

		private LockSettings checked() {
			if (toPolicy().adaptiveTtl() != null) {
				if (Boolean.TRUE.equals(this.renew)) {
					throw new IllegalArgumentException("adaptive-ttl is for locks that are not renewed, but renew is"
							+ " true. Set renew to false, or leave out adaptive-ttl: what is renewed needs no longer"
							+ " ttl, however long it is held.");
				}
				if (Boolean.TRUE.equals(this.keep)) {
					throw new IllegalArgumentException("keep and adaptive-ttl do not go together, since the ttl says"
							+ " for how long the key is kept. Leave one of them out.");
				}
			}
			boolean needsStore = Boolean.TRUE.equals(this.keep) || Boolean.TRUE.equals(this.fair)
					|| (this.permits != null && this.permits > 1) || (this.minHold != null && !this.minHold.isZero());
			if (this.onOutage == OnOutage.LOCAL && needsStore) {
				throw new IllegalArgumentException("on-outage is local, which does not go with keep, fair, permits or"
						+ " min-hold: they need the store. Leave one of them out.");
			}
			return toSettings();
		}

		LockPolicy toPolicy() {
			AdaptiveTtlProperties adaptive = this.adaptiveTtl;
			return new LockPolicy((adaptive != null && adaptive.enabled())
					? new AdaptiveTtl(adaptive.min(), adaptive.max(), adaptive.margin()) : null, this.onOutage);
		}

		LockSettings toSettings() {
			return new LockSettings(this.ttl, this.waitTime, this.renew, this.minHold, this.maxHold, this.keep,
					this.fair, this.permits, this.shed, this.store);
		}

	}

	/**
	 * How the ttl of a lock follows the time for which it is held.
	 *
	 * @param enabled Whether the ttl is what 99.9 % of the recent holds of this instance
	 * needed, times the margin. Until 100 holds have ended, the configured ttl counts.
	 * @param min The ttl is never less than this.
	 * @param max The ttl is never more than this.
	 * @param margin What the observed time is multiplied with.
	 */
	public record AdaptiveTtlProperties(@DefaultValue("false") boolean enabled, @DefaultValue("1s") Duration min,
			@DefaultValue("5m") Duration max, @DefaultValue("2") double margin) {
	}

	/**
	 * How callers of one instance hand a lock to each other.
	 *
	 * @param leases How many leases in a row, before other instances get their turn. More
	 * while none of them waits. 1 switches local handoff off.
	 * @param time For how long, before other instances get their turn.
	 */
	public record Handoff(@DefaultValue("64") int leases, @DefaultValue("50ms") Duration time) {

		/**
		 * Checks the properties.
		 * @throws IllegalArgumentException if one is out of range
		 */
		public Handoff {
			if (leases < 1) {
				throw new IllegalArgumentException("distributed-lock.handoff.leases is " + leases
						+ ", at least 1 is needed; 1 switches local handoff off.");
			}
			above("distributed-lock.handoff.time", time);
		}

	}

	/**
	 * How callers that wait for each other are found, in this instance and over several.
	 *
	 * @param enabled Whether to look for deadlocks. The caller of a deadlock that began
	 * to wait last then gets a DeadlockDetectedException.
	 * @param threshold After which wait a caller that holds a lock looks for a deadlock.
	 */
	public record DeadlockDetection(@DefaultValue("true") boolean enabled, @DefaultValue("50ms") Duration threshold) {

		/**
		 * Checks the properties.
		 * @throws IllegalArgumentException if one is out of range
		 */
		public DeadlockDetection {
			if (threshold.toMillis() < 1 || threshold.compareTo(LockSettings.MAX_DURATION) > 0) {
				throw new IllegalArgumentException("distributed-lock.deadlock-detection.threshold is "
						+ threshold.toMillis() + "ms, it must be 1ms or more; the default is 50ms. To look for none,"
						+ " set distributed-lock.deadlock-detection.enabled=false.");
			}
		}

	}

	/**
	 * How locks end with the application.
	 *
	 * @param timeout How long to go on renewing the locks of methods that still run.
	 * Should be shorter than spring.lifecycle.timeout-per-shutdown-phase.
	 */
	public record Shutdown(@DefaultValue("20s") Duration timeout) {

		/**
		 * Checks the properties.
		 * @throws IllegalArgumentException if one is out of range
		 */
		public Shutdown {
			if (timeout.isNegative()) {
				throw new IllegalArgumentException(
						"distributed-lock.shutdown.timeout is " + timeout + ". Use 0 for not waiting.");
			}
		}

	}

	/**
	 * How locks and transactions go together.
	 *
	 * @param onActiveTransaction What happens when a locked method is called within a
	 * transaction that was begun before.
	 * @param commitMargin How much time a lock must have left when a transaction under it
	 * commits. Else the transaction rolls back.
	 */
	public record Transaction(@DefaultValue("defer") OnActiveTransaction onActiveTransaction,
			@DefaultValue("100ms") Duration commitMargin) {

		/**
		 * Checks the properties.
		 * @throws IllegalArgumentException if one is out of range
		 */
		public Transaction {
			if (commitMargin.isNegative() || commitMargin.compareTo(LockSettings.MIN_TTL.dividedBy(2)) > 0) {
				throw new IllegalArgumentException(
						"distributed-lock.transaction.commit-margin is " + commitMargin.toMillis()
								+ "ms, it must be between 0 and " + LockSettings.MIN_TTL.dividedBy(2).toMillis()
								+ "ms, or transactions under short locks would never commit.");
			}
		}

	}

	/**
	 * Settings of the store within this JVM.
	 *
	 * @param enabled Whether there is a store "memory" beside others. If not set, there
	 * is one if it is the default store.
	 */
	public record Memory(@Nullable Boolean enabled) {
	}

	/**
	 * Settings of the Redis store.
	 *
	 * @param enabled Whether there is a Redis store when Redis is configured. If not set,
	 * there is none with the store "memory", and none beside Redlock nodes unless it is
	 * the default store.
	 * @param prefix What all keys and channels in Redis begin with.
	 * @param waitReplicas How many replicas must have a grant before it counts, or "all".
	 * With fewer the lock cannot be taken.
	 * @param replicaTimeout How long replicas may take to have a grant. Shorter than the
	 * command timeout.
	 */
	public record Redis(@Nullable Boolean enabled, @DefaultValue("lock:") String prefix,
			@DefaultValue("0") String waitReplicas, @DefaultValue("500ms") Duration replicaTimeout) {

		private static final String ALL = "all";

		/**
		 * Checks the properties.
		 * @throws IllegalArgumentException if one cannot be used
		 */
		public Redis {
			RedisPrefix.check("distributed-lock.redis.prefix", prefix);
			waitReplicas = waitReplicas.trim().toLowerCase(Locale.ROOT);
			if (!waitReplicas.equals(ALL) && !waitReplicas.matches("\\d{1,3}")) {
				throw new IllegalArgumentException("distributed-lock.redis.wait-replicas is '" + waitReplicas
						+ "'. Use 0 for none, a number of replicas, or all.");
			}
			above("distributed-lock.redis.replica-timeout", replicaTimeout);
		}

		/**
		 * Tells whether all replicas must have a grant.
		 * @return true for {@code all}
		 */
		public boolean waitForAllReplicas() {
			return this.waitReplicas.equals(ALL);
		}

		/**
		 * Returns how many replicas must have a grant.
		 * @return the number, 0 for none and for all
		 */
		public int replicas() {
			return waitForAllReplicas() ? 0 : Integer.parseInt(this.waitReplicas);
		}

	}

}
