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

	private final @Nullable LockOwner owner;

	private LockRequest(LockKey key, LockSettings settings, @Nullable LockOwner owner) {
		this.key = Objects.requireNonNull(key, "key");
		this.settings = Objects.requireNonNull(settings, "settings");
		this.owner = owner;
	}

	/**
	 * Asks for a lock with the configured settings.
	 * @param name what the lock protects
	 * @param keyParts what tells this instance from the others
	 * @return the request
	 * @throws IllegalArgumentException see {@link LockKey#of}
	 */
	public static LockRequest of(String name, @Nullable Object... keyParts) {
		return new LockRequest(LockKey.of(name, keyParts), LockSettings.NONE, null);
	}

	/**
	 * Asks for a lock with the given settings.
	 * @param key what is locked
	 * @param settings what this code insists on; what is open there comes from the
	 * configuration
	 * @return the request
	 */
	public static LockRequest of(LockKey key, LockSettings settings) {
		return new LockRequest(key, settings, null);
	}

	/**
	 * Returns a request that differs in how long the store keeps a grant without renewal.
	 * @param ttl at least {@link LockSettings#MIN_TTL}
	 * @return the new request
	 * @throws IllegalArgumentException if the ttl is out of range
	 */
	public LockRequest withTtl(Duration ttl) {
		return with(new LockSettings(ttl, null, null, null, null, null));
	}

	/**
	 * Returns a request that differs in how long the caller is willing to wait.
	 * @param waitTime zero for one try
	 * @return the new request
	 * @throws IllegalArgumentException if the time is negative
	 */
	public LockRequest withWaitTime(Duration waitTime) {
		return with(new LockSettings(null, waitTime, null, null, null, null));
	}

	/**
	 * Returns a request that differs in whether the watchdog renews the lease.
	 * @param renew false to let the lease end after its ttl
	 * @return the new request
	 */
	public LockRequest withRenew(boolean renew) {
		return with(new LockSettings(null, null, renew, null, null, null));
	}

	/**
	 * Returns a request that differs in how long the key stays taken at least.
	 * @param minHold counted from acquisition, zero for none
	 * @return the new request
	 * @throws IllegalArgumentException if the time is negative or longer than the
	 * max-hold of this request
	 */
	public LockRequest withMinHold(Duration minHold) {
		return with(new LockSettings(null, null, null, minHold, null, null));
	}

	/**
	 * Returns a request that differs in how long the watchdog renews at most.
	 * @param maxHold counted from acquisition
	 * @return the new request
	 * @throws IllegalArgumentException if the time is not positive or shorter than the
	 * min-hold of this request
	 */
	public LockRequest withMaxHold(Duration maxHold) {
		return with(new LockSettings(null, null, null, null, maxHold, null));
	}

	/**
	 * Returns a request for another store.
	 * @param store name of the store
	 * @return the new request
	 */
	public LockRequest withStore(String store) {
		return with(new LockSettings(null, null, null, null, null, store));
	}

	/**
	 * Returns a request on behalf of an explicit owner. Requests of one owner for one key
	 * re-enter the same grant, on whatever thread they run.
	 * @param owner the owner, or null for the owner of the calling thread
	 * @return the new request
	 */
	public LockRequest withOwner(@Nullable LockOwner owner) {
		return new LockRequest(this.key, this.settings, owner);
	}

	private LockRequest with(LockSettings change) {
		return new LockRequest(this.key, change.orElse(this.settings), this.owner);
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
	 * Returns on whose behalf the lock is asked for.
	 * @return the owner, or null for the owner of the calling thread
	 */
	public @Nullable LockOwner owner() {
		return this.owner;
	}

	@Override
	public String toString() {
		return "LockRequest[" + this.key + ", " + this.settings + ((this.owner != null) ? ", " + this.owner : "") + "]";
	}

}
