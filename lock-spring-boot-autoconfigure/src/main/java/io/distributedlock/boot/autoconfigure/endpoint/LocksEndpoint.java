package io.distributedlock.boot.autoconfigure.endpoint;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

import io.distributedlock.LockInspector;
import io.distributedlock.LockInspector.HeldLock;
import io.distributedlock.LockInspector.StoredLock;
import io.distributedlock.LockInspector.WaitedLock;
import io.distributedlock.LockKey;
import io.distributedlock.LockStoreException;
import io.distributedlock.boot.autoconfigure.endpoint.ForceReleaseDescriptor.Result;
import io.distributedlock.boot.autoconfigure.endpoint.LocksDescriptor.HeldLockDescriptor;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import org.springframework.boot.actuate.audit.listener.AuditApplicationEvent;
import org.springframework.boot.actuate.endpoint.Access;
import org.springframework.boot.actuate.endpoint.InvalidEndpointRequestException;
import org.springframework.boot.actuate.endpoint.SanitizingFunction;
import org.springframework.boot.actuate.endpoint.Sanitizer;
import org.springframework.boot.actuate.endpoint.annotation.DeleteOperation;
import org.springframework.boot.actuate.endpoint.annotation.Endpoint;
import org.springframework.boot.actuate.endpoint.annotation.ReadOperation;
import org.springframework.boot.actuate.endpoint.annotation.Selector;
import org.springframework.boot.actuate.endpoint.annotation.Selector.Match;
import org.springframework.context.ApplicationEventPublisher;

/**
 * {@link Endpoint @Endpoint} that shows the locks of this instance and the store's view
 * of a single lock, and releases a lock by force.
 * <p>
 * By default it only reads: {@code management.endpoint.locks.access=unrestricted} permits
 * the release. Keys are shown after {@link SanitizingFunction}s have seen each of their
 * parts as {@code lock.<name>}.
 */
@Endpoint(id = "locks", defaultAccess = Access.READ_ONLY)
public final class LocksEndpoint {

	/** Type of the audit event of an attempt to release a lock by force. */
	public static final String AUDIT_TYPE = "LOCK_FORCE_RELEASE";

	static final int DEFAULT_LIMIT = 200;

	/** What follows the heaviest ones is hardly worth looking at. */
	private static final int HOT_KEYS = 10;

	private static final Logger logger = LoggerFactory.getLogger(LocksEndpoint.class);

	private final LockInspector inspector;

	private final String instance;

	private final LockDescriptors descriptors;

	private final ApplicationEventPublisher publisher;

	/**
	 * Makes the endpoint.
	 * @param inspector knows the locks
	 * @param instance what this instance is called
	 * @param sanitizingFunctions applied to the parts of keys
	 * @param publisher receives audit events
	 */
	public LocksEndpoint(LockInspector inspector, String instance, Iterable<SanitizingFunction> sanitizingFunctions,
			ApplicationEventPublisher publisher) {
		this.inspector = inspector;
		this.instance = instance;
		this.descriptors = new LockDescriptors(new Sanitizer(sanitizingFunctions));
		this.publisher = publisher;
	}

	/**
	 * Shows what this instance holds and waits for.
	 * @param limit how many held locks and how many waited-for keys to show at most, or
	 * null for 200
	 * @return this instance's locks
	 */
	@ReadOperation
	public LocksDescriptor locks(@Nullable Integer limit) {
		if (limit != null && limit < 0) {
			throw invalid("'limit' is " + limit + ". Use 0 or more.");
		}
		int most = (limit != null) ? limit : DEFAULT_LIMIT;
		LockInspector inspector = inspector();
		List<HeldLock> held = inspector.held();
		List<WaitedLock> waiting = inspector.waiting();
		return new LocksDescriptor(this.instance, inspector.stores(), held.size(),
				held.stream().limit(most).map(this.descriptors::held).toList(), waiting.size(),
				waiting.stream().limit(most).map(this.descriptors::waited).toList(),
				inspector.hotKeys().stream().limit(Math.min(most, HOT_KEYS)).map(this.descriptors::hot).toList(),
				inspector.observedHoldTimes().stream().map(this.descriptors::adaptiveTtl).toList(),
				inspector.statistics().stream().map(this.descriptors::statistics).toList(),
				(inspector instanceof UnavailableInspector unavailable) ? unavailable.error() : null);
	}

	/**
	 * Shows one lock.
	 * @param name what the lock protects
	 * @param parts the parts of its key
	 * @param store name of the store, or null for the one that has the lock
	 * @param key instead of {@code parts}: what follows the name in the lock's id, for
	 * parts that cannot be written in a path
	 * @return the lock
	 */
	@ReadOperation
	public LockDescriptor lock(@Selector String name, @Selector(match = Match.ALL_REMAINING) String[] parts,
			@Nullable String store, @Nullable String key) {
		LockInspector inspector = inspector();
		LockKey found = key(inspector, name, parts, key);
		return describe(inspector, found, store(inspector, store, found));
	}

	/**
	 * Takes a lock away from its holder and passes it to the next waiter.
	 * @param name what the lock protects
	 * @param parts the parts of its key
	 * @param token a fencing token of the grant that is to end
	 * @param store name of the store, or null for the one that has the lock
	 * @param key instead of {@code parts}, as with {@link #lock}
	 * @return how it ended
	 */
	@DeleteOperation
	public ForceReleaseDescriptor forceRelease(@Selector String name,
			@Selector(match = Match.ALL_REMAINING) String[] parts, long token, @Nullable String store,
			@Nullable String key) {
		return forceRelease(name, parts, token, store, key, "jmx");
	}

	ForceReleaseDescriptor forceRelease(String name, String[] parts, long token, @Nullable String store,
			@Nullable String key, String principal) {
		LockInspector inspector = inspector();
		LockKey found = key(inspector, name, parts, key);
		return forceRelease(inspector, found, store(inspector, store, found), token, principal);
	}

	private ForceReleaseDescriptor forceRelease(LockInspector inspector, LockKey key, String store, long token,
			String principal) {
		Result result = Result.UNKNOWN;
		LockDescriptor lock = null;
		try {
			boolean released = inspector.forceRelease(key, store, token);
			lock = describe(inspector, key, store);
			result = released ? Result.RELEASED : refusal(lock);
		}
		catch (LockStoreException ex) {
			lock = describe(inspector, key, store, null, message(ex));
		}
		catch (IllegalArgumentException ex) {
			throw invalid(ex.getMessage());
		}
		audit(key, store, token, principal, result);
		return new ForceReleaseDescriptor(result, message(result), lock);
	}

	private static Result refusal(LockDescriptor lock) {
		if (lock.error() != null) {
			return Result.UNKNOWN;
		}
		boolean held = lock.stored() != null
				&& (lock.stored().state() == StoredLock.State.HELD || lock.stored().state() == StoredLock.State.SHARED);
		return held ? Result.TOKEN_MISMATCH : Result.NOT_HELD;
	}

	private static String message(Result result) {
		return switch (result) {
			case RELEASED -> "The lock was taken away from its holder. The holder's code may still run: only a resource"
					+ " that checks the fencing token refuses its writes.";
			case TOKEN_MISMATCH -> "The lock is held with another token, so another holder has it than the one you"
					+ " meant. Nothing was changed. Look at it again and use the token that is shown there.";
			case NOT_HELD -> "Nobody holds the lock. Nothing was changed.";
			case UNKNOWN -> "The store gave no usable answer. The lock may or may not have been released; look at it"
					+ " again when the store is back.";
		};
	}

	private void audit(LockKey key, String store, long token, String principal, Result result) {
		String id = this.descriptors.id(key);
		logger.atWarn()
			.addKeyValue("lock.id", id)
			.addKeyValue("lock.store", store)
			.addKeyValue("lock.token", token)
			.addKeyValue("principal", principal)
			.addKeyValue("result", result)
			.log("Lock '{}' (token {}, store {}) {} released by force by '{}': {}", id, token, store,
					(result == Result.RELEASED) ? "was" : "was to be", principal, result);
		Map<String, @Nullable Object> data = new LinkedHashMap<>();
		data.put("lock", id);
		data.put("store", store);
		data.put("token", Long.toString(token));
		data.put("result", result.name());
		data.put("instance", this.instance);
		this.publisher.publishEvent(new AuditApplicationEvent(principal, AUDIT_TYPE, data));
	}

	private LockInspector inspector() {
		return UnavailableInspector.orElse(this.inspector);
	}

	private LockDescriptor describe(LockInspector inspector, LockKey key, String store) {
		try {
			Optional<StoredLock> stored = inspector.find(key, store);
			return describe(inspector, key, store, stored.orElse(null), null);
		}
		catch (LockStoreException ex) {
			return describe(inspector, key, store, null, message(ex));
		}
		catch (IllegalArgumentException ex) {
			throw invalid(ex.getMessage());
		}
	}

	private LockDescriptor describe(LockInspector inspector, LockKey key, String store, @Nullable StoredLock stored,
			@Nullable String error) {
		List<HeldLockDescriptor> local = inspector.held()
			.stream()
			.filter((lock) -> lock.key().equals(key) && lock.store().equals(store))
			.map(this.descriptors::held)
			.toList();
		int waiters = inspector.waiting()
			.stream()
			.filter((lock) -> lock.key().equals(key) && lock.store().equals(store))
			.mapToInt(WaitedLock::waiters)
			.sum();
		return new LockDescriptor(this.instance, this.descriptors.id(key), key.name(), this.descriptors.key(key), store,
				(stored != null) ? this.descriptors.stored(stored) : null, error, local, waiters);
	}

	private static LockKey key(LockInspector inspector, String name, String[] parts, @Nullable String key) {
		try {
			return LockPath.toKey(name, parts, key, inspector);
		}
		catch (IllegalArgumentException ex) {
			throw invalid(ex.getMessage());
		}
	}

	private static String store(LockInspector inspector, @Nullable String store, LockKey key) {
		List<String> stores = inspector.stores();
		if (inspector instanceof UnavailableInspector) {
			return (store != null) ? store : "default";
		}
		if (store == null) {
			return (stores.size() == 1) ? stores.get(0) : storeOf(inspector, key);
		}
		if (!stores.contains(store)) {
			throw invalid("There is no store '" + store + "'. Use one of " + stores + ", or leave it out.");
		}
		return store;
	}

	/**
	 * Finds the store that has a lock: the one in which this instance holds it or waits
	 * for it, else the first that knows of it. Before "nobody holds it" is said, a store
	 * that gives no answer is named.
	 */
	private static String storeOf(LockInspector inspector, LockKey key) {
		Optional<String> here = Stream
			.concat(inspector.held().stream().filter((lock) -> lock.key().equals(key)).map(HeldLock::store),
					inspector.waiting().stream().filter((lock) -> lock.key().equals(key)).map(WaitedLock::store))
			.findFirst();
		if (here.isPresent()) {
			return here.get();
		}
		String silent = null;
		for (String store : inspector.stores()) {
			try {
				if (inspector.find(key, store).filter(LocksEndpoint::isInUse).isPresent()) {
					return store;
				}
			}
			catch (LockStoreException ex) {
				silent = (silent != null) ? silent : store;
			}
			catch (IllegalArgumentException ex) {
				logger.debug("The store {} cannot tell of single locks", store, ex);
			}
		}
		return (silent != null) ? silent : inspector.stores().get(0);
	}

	private static boolean isInUse(StoredLock lock) {
		return lock.state() != StoredLock.State.FREE || !lock.queue().isEmpty();
	}

	private static String message(LockStoreException ex) {
		return String.valueOf(ex.getMessage());
	}

	private static InvalidEndpointRequestException invalid(@Nullable String reason) {
		String text = (reason != null) ? reason : "The request is not valid.";
		return new InvalidEndpointRequestException(text, text);
	}

}
