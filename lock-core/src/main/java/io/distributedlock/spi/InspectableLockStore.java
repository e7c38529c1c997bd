package io.distributedlock.spi;

import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletionStage;

import io.distributedlock.LockInspector.StoredLock;
import io.distributedlock.LockKey;

/**
 * A store that can tell what it knows of one lock, and end a grant by force.
 */
public interface InspectableLockStore extends LockStore {

	/**
	 * Tells what the store knows of one lock, without changing it.
	 * @param key which lock
	 * @param timeout after this time without an answer the command fails
	 * @return what the store knows, empty if it knows nothing
	 */
	CompletionStage<Optional<StoredLock>> inspect(LockKey key, Duration timeout);

	/**
	 * Ends the grant that has the given token, signals its holder, and passes the lock
	 * on.
	 * @param key which lock
	 * @param token any fencing token of the grant
	 * @param timeout after this time without an answer the command fails
	 * @return whether there was such a grant
	 */
	CompletionStage<Boolean> forceRelease(LockKey key, long token, Duration timeout);

}
