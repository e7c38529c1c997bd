package io.distributedlock;

import java.time.Duration;
import java.util.Objects;

import org.jspecify.annotations.Nullable;

/**
 * What a caller asks for: a {@link LockKey}, the {@link LockSettings} that this code
 * insists on, and optionally an explicit owner. Immutable, safe to share and to use
 * again.
 *
 * <pre>{@code
 * LockRequest request = LockRequest.of("stock", productId).withTtl(Duration.ofSeconds(10)).withWaitTime(Duration.ofSeconds(2));
 * }</pre>
 */
public final class LockRequest {

	private final LockKey key;

	private final LockSettings settings;

	private final LockMode mode;

	private final @Nullable LockOwner owner;

	private final boolean declared;

	private LockRequest(LockKey key, LockSettings settings, LockMode mode, @Nullable LockOwner owner,
			boolean declared) {
		this.key = Objects.requireNonNull(key, "key");
		this.settings = Objects.requireNonNull(settings, "settings");
		this.mode = Objects.requireNonNull(mode, "mode");
		this.owner = owner;
		this.declared = declared;
	}

	/**
	 * Asks for a lock with the configured settings.
	 * @param name what the lock protects
	 * @param keyParts what tells this instance from the others
	 * @return the request
	 * @throws IllegalArgumentException see {@link LockKey#of}
	 */
	public static LockRequest of(String name, @Nullable Object... keyParts) {
		return new LockRequest(LockKey.of(name, keyParts), LockSettings.NONE, LockMode.WRITE, null, false);
	}

	/**
	 * Asks for a lock with the given settings.
	 * @param key what is locked
	 * @param settings what this code insists on; what is open there comes from the
	 * configuration
	 * @return the request
	 */
	public static LockRequest of(LockKey key, LockSettings settings) {
		return new LockRequest(key, settings, LockMode.WRITE, null, false);
	}

	/**
	 * Returns a request that differs in how long the store keeps a grant without renewal.
	 * @param ttl at least {@link LockSettings#MIN_TTL}
	 * @return the new request
	 * @throws IllegalArgumentException if the ttl is out of range
	 */
	public LockRequest withTtl(Duration ttl) {
		return with(this.settings.withTtl(Objects.requireNonNull(ttl, "ttl")));
	}

	/**
	 * Returns a request that differs in how long the caller is willing to wait.
	 * @param waitTime zero for one try
	 * @return the new request
	 * @throws IllegalArgumentException if the time is negative
	 */
	public LockRequest withWaitTime(Duration waitTime) {
		return with(this.settings.withWaitTime(Objects.requireNonNull(waitTime, "waitTime")));
	}

	/**
	 * Returns a request that differs in whether the watchdog renews the lease.
	 * @param renew false to let the lease end after its ttl
	 * @return the new request
	 */
	public LockRequest withRenew(boolean renew) {
		return with(this.settings.withRenew(renew));
	}

	/**
	 * Returns a request that differs in how long the key stays taken at least.
	 * @param minHold counted from acquisition, zero for none
	 * @return the new request
	 * @throws IllegalArgumentException if the time is negative or longer than the
	 * max-hold of this request
	 */
	public LockRequest withMinHold(Duration minHold) {
		return with(this.settings.withMinHold(Objects.requireNonNull(minHold, "minHold")));
	}

	/**
	 * Returns a request that differs in how long the watchdog renews at most.
	 * @param maxHold counted from acquisition
	 * @return the new request
	 * @throws IllegalArgumentException if the time is not positive or shorter than the
	 * min-hold of this request
	 */
	public LockRequest withMaxHold(Duration maxHold) {
		return with(this.settings.withMaxHold(Objects.requireNonNull(maxHold, "maxHold")));
	}

	/**
	 * Returns a request that differs in whether the key stays taken after the work.
	 * {@link LockTemplate#execute} obeys it; whoever acquires a lease calls
	 * {@link Lease#keep()} when the work is done.
	 * @param keep true to keep the key taken, by nobody, until its ttl from acquisition
	 * is over, if the work ends normally
	 * @return the new request
	 */
	public LockRequest withKeep(boolean keep) {
		return with(this.settings.withKeep(keep));
	}

	/**
	 * Returns a request that differs in whether callers get the lock in strict order. The
	 * order is strict if all that use the key ask for it.
	 * @param fair true for first come, first served over all threads of all instances
	 * @return the new request
	 * @throws IllegalArgumentException if the request has several permits
	 */
	public LockRequest withFair(boolean fair) {
		return with(this.settings.withFair(fair));
	}

	/**
	 * Returns a request that differs in how many may hold the key at once. All that use
	 * the key should give the same number; where they differ, each is let in as long as
	 * fewer than its own number hold the key.
	 * @param permits one for an ordinary lock
	 * @return the new request
	 * @throws IllegalArgumentException if the number is out of range, or the request is
	 * fair; one that reads is refused when it is used
	 */
	public LockRequest withPermits(int permits) {
		return with(this.settings.withPermits(permits));
	}

	/**
	 * Returns a request that differs in whether it is refused at once if it could
	 * probably not be served within its wait time.
	 * @param shed whether to refuse it with
	 * {@link LockNotAcquiredException.Reason#PREDICTED_TIMEOUT} instead of letting it
	 * wait in vain
	 * @return the new request
	 * @throws IllegalArgumentException if it contradicts the other settings
	 */
	public LockRequest withShed(boolean shed) {
		return with(this.settings.withShed(shed));
	}

	/**
	 * Returns a request that differs in whether it shares the lock with others.
	 * @param mode {@link LockMode#WRITE} to be alone, {@link LockMode#READ} to share the
	 * lock with others that read
	 * @return the new request
	 */
	public LockRequest withMode(LockMode mode) {
		return new LockRequest(this.key, this.settings, mode, this.owner, this.declared);
	}

	/**
	 * Returns a request for another store.
	 * @param store name of the store
	 * @return the new request
	 */
	public LockRequest withStore(String store) {
		return with(this.settings.withStore(Objects.requireNonNull(store, "store")));
	}

	/**
	 * Returns a request on behalf of an explicit owner. Requests of one owner for one key
	 * re-enter the same grant, on whatever thread they run.
	 * @param owner the owner, or null for the owner of the calling thread
	 * @return the new request
	 */
	public LockRequest withOwner(@Nullable LockOwner owner) {
		return new LockRequest(this.key, this.settings, this.mode, owner, this.declared);
	}

	/**
	 * Returns a request whose settings are not what its code insists on, but what was
	 * declared for the lock, in an annotation for instance, with what is configured for
	 * its name filled in. So the ttl may be replaced by one that is learnt
	 * ({@link AdaptiveTtl}); the ttl of any other request may not.
	 * @return the new request
	 */
	public LockRequest asDeclared() {
		return new LockRequest(this.key, this.settings, this.mode, this.owner, true);
	}

	private LockRequest with(LockSettings changed) {
		return new LockRequest(this.key, changed, this.mode, this.owner, this.declared);
	}

	/**
	 * Returns what is locked.
	 * @return the key
	 */
	public LockKey key() {
		return this.key;
	}

	/**
	 * Returns what this code insists on.
	 * @return the settings, each null where the configuration decides
	 */
	public LockSettings settings() {
		return this.settings;
	}

	/**
	 * Returns whether the lock is shared with others that read.
	 * @return the mode
	 */
	public LockMode mode() {
		return this.mode;
	}

	/**
	 * Returns on whose behalf the lock is asked for.
	 * @return the owner, or null for the owner of the calling thread
	 */
	public @Nullable LockOwner owner() {
		return this.owner;
	}

	/**
	 * Returns whether the settings were declared rather than insisted on.
	 * @return true after {@link #asDeclared()}
	 */
	public boolean isDeclared() {
		return this.declared;
	}

	@Override
	public String toString() {
		return "LockRequest[" + this.key + ", " + this.mode + ", " + this.settings
				+ ((this.owner != null) ? ", " + this.owner : "") + "]";
	}

}
