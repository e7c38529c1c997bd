package io.distributedlock.boot.autoconfigure.endpoint;

import java.time.Duration;
import java.time.Instant;
import java.util.List;

import io.distributedlock.LockInspector.StoredLock.State;
import io.distributedlock.boot.autoconfigure.endpoint.LocksDescriptor.HeldLockDescriptor;
import org.jspecify.annotations.Nullable;

import org.springframework.boot.actuate.endpoint.OperationResponseBody;

/**
 * What the store and this instance know of one lock.
 *
 * @param instance the instance that gave this answer
 * @param id name and key in one text
 * @param name what the lock protects
 * @param key the parts of the key
 * @param store name of the store
 * @param stored the store's view, null if the store knows nothing or gave no answer
 * @param error why the store gave no answer, null if it did
 * @param local the leases of this instance, several only if the lock is shared
 * @param localWaiters how many callers of this instance wait
 */
public record LockDescriptor(String instance, String id, String name, List<String> key, String store,
		@Nullable StoredLockDescriptor stored, @Nullable String error, List<HeldLockDescriptor> local,
		int localWaiters) implements OperationResponseBody {

	boolean isKnown() {
		return this.stored != null || !this.local.isEmpty() || this.localWaiters > 0;
	}

	/**
	 * What the store knows of one lock.
	 *
	 * @param state whether it is held, reserved, cooling, free or shared
	 * @param holder the instance that holds it or that it is reserved for, if any
	 * @param firstToken first fencing token of the grant, null if not held
	 * @param lastToken last fencing token of the grant, null if not held
	 * @param remaining how long the store keeps it without renewal
	 * @param queue the instances that wait, first one first
	 * @param shares the readers or the holders of permits, empty if it is not shared
	 */
	public record StoredLockDescriptor(State state, @Nullable String holder, @Nullable String firstToken,
			@Nullable String lastToken, Duration remaining, List<QueuedDescriptor> queue,
			List<ShareDescriptor> shares) {
	}

	/**
	 * A share of a lock.
	 *
	 * @param instance the instance that has it, null if it is kept by nobody
	 * @param state whether it is held, reserved or cooling
	 * @param token its fencing token, null if it is not held; readers share one
	 * @param remaining how long the store keeps it without renewal
	 */
	public record ShareDescriptor(@Nullable String instance, State state, @Nullable String token, Duration remaining) {
	}

	/**
	 * An instance that waits.
	 *
	 * @param instance the instance
	 * @param since when it began to wait, by the store's clock
	 * @param alive false if it has not shown itself for too long
	 */
	public record QueuedDescriptor(String instance, Instant since, boolean alive) {
	}

}
