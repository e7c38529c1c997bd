package io.distributedlock;

import java.time.Duration;
import java.util.concurrent.CompletionStage;
import java.util.function.Consumer;

/**
 * The handle of one caller on a lock that was granted. It starts {@link LeaseState#HELD}
 * and ends either {@link LeaseState#RELEASED} or {@link LeaseState#LOST}.
 * <p>
 * Whether a lease is still held is computed at every call from a monotonic clock; nothing
 * here waits for the watchdog or asks the store, except where it says so. Safe for use by
 * many threads.
 *
 * <pre>{@code
 * try (Lease lease = locks.acquire(LockRequest.of("stock", productId))) {
 *     repository.save(stock, lease.fencingToken());
 * }
 * }</pre>
 */
public interface Lease extends AutoCloseable {

	/**
	 * Returns what is locked.
	 * @return the key
	 */
	LockKey key();

	/**
	 * Returns the store that granted the lock.
	 * @return the store's name
	 */
	String store();

	/**
	 * Returns whether this lease was asked for to read or to write. A reader's lease that
	 * nests in a writer's says {@link LockMode#READ}, though nobody else can read
	 * meanwhile.
	 * @return the mode
	 */
	LockMode mode();

	/**
	 * Returns on whose behalf the lock is held.
	 * @return the owner
	 */
	LockOwner owner();

	/**
	 * Returns a number that rises with every lease of this key, for the protected
	 * resource to check: it should refuse a write whose token is lower than one it has
	 * seen. A nested lease has the token of the lease that it nests in.
	 * <p>
	 * Martin Kleppmann, "How to do distributed locking" (2016), shows why a lease alone
	 * cannot replace that check.
	 * @return the token, above zero and below 2^53
	 * @throws IllegalStateException if the lease is {@linkplain #isDegraded() degraded}:
	 * only the store can give tokens that rise
	 */
	long fencingToken();

	/**
	 * Tells whether this is a lock of this JVM only, taken because the store was out and
	 * its name is configured for that ({@link OnOutage#LOCAL}). Callers of other
	 * instances are not excluded.
	 * @return true if there is neither a grant of the store nor a fencing token
	 */
	default boolean isDegraded() {
		return false;
	}

	/**
	 * Returns where this lease is in its life.
	 * @return the state; {@link LeaseState#LOST} as soon as the deadline has passed
	 */
	LeaseState state();

	/**
	 * Tells whether the lock is held at this moment, as far as can be known on this side:
	 * not released, not known to be lost, and before the deadline.
	 * @return true if held
	 */
	boolean isHeld();

	/**
	 * Returns how long the lock is held for certain if no renewal succeeds any more.
	 * @return the time to the deadline, zero if not held
	 */
	Duration remaining();

	/**
	 * Does nothing while the lock is held. Call it before a step that must not run
	 * without the lock.
	 * @throws LockLostException if the lease was lost
	 * @throws IllegalStateException if the lease was released
	 */
	void assertHeld();

	/**
	 * Registers what to do when this lease is lost. The callback runs at most once, on a
	 * thread of the engine, outside all locks; if the lease is lost already, it runs
	 * soon. It does not run after {@link #release()}.
	 * @param callback receives the exception that {@link #assertHeld()} throws from then
	 * on
	 */
	void onLost(Consumer<LockLostException> callback);

	/**
	 * Makes sure that the lock is held for at least the given time from now, with one
	 * store command. Renewals never shorten it. Blocks until the store has answered.
	 * @param duration the time from now; at least {@link LockSettings#MIN_TTL}
	 * @throws LockLostException if the lease is lost, or the store refused
	 * @throws LockStoreException if the store did not answer, or an earlier renewal got
	 * no answer and may still be executed; the lease stays held until its old deadline,
	 * and is renewed as before
	 * @throws IllegalStateException if the lease was released
	 */
	void extend(Duration duration);

	/**
	 * Keeps the key taken after this lease was given back, by nobody, until the ttl from
	 * acquisition is over. Call it when the work is done that must not be done again
	 * soon. It asks nothing of the store before the lease is given back.
	 * @throws LockLostException if the lease was lost
	 * @throws IllegalStateException if the lease was released, it is one of a reader, or
	 * it is {@linkplain #isDegraded() degraded}
	 */
	void keep();

	/**
	 * Gives the lock back and never throws. Blocks until the store has answered, or not
	 * at all when the lock is handed to the next local caller. If the store's answer
	 * stays out, the lease counts as released, listeners are told, and the release is
	 * repeated in the background until the deadline.
	 * @return true if the lock was held until this call; false if it was lost before, or
	 * released already
	 */
	boolean release();

	/**
	 * Gives the lock back like {@link #release()}, without blocking.
	 * @return completes with what {@link #release()} returns, never exceptionally
	 */
	CompletionStage<Boolean> releaseAsync();

	/**
	 * Gives the lock back like {@link #release()}. A second call does nothing.
	 * @throws LockLostException if the lock was lost before this first call, so that the
	 * work done under it must not count as safely done
	 */
	@Override
	void close();

}
