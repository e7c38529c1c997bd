package io.distributedlock;

import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.locks.Lock;
import java.util.concurrent.locks.ReadWriteLock;
import java.util.function.Consumer;

/**
 * Takes and holds distributed locks. All methods are safe for use by many threads.
 * <p>
 * Three failures are never confused: {@link LockNotAcquiredException} is contention
 * (somebody else holds the lock), {@link LockStoreException} is an outage (the store gave
 * no usable answer), and {@link LockLostException} is a lock that was held and is gone.
 * <p>
 * Open settings of a request come from the configuration. The calling thread owns what it
 * acquires, unless the request names an owner; the same owner may acquire the same key
 * again and gets a nested lease at once.
 */
public interface LockTemplate {

	/**
	 * Acquires a lock, waiting as long as the request says. Blocks.
	 * @param request what to lock
	 * @return the lease, held
	 * @throws LockNotAcquiredException if somebody else holds the lock for longer than
	 * the wait time, the thread is interrupted (the flag stays set), or this instance
	 * shuts down
	 * @throws LockStoreException if the store could not be asked
	 * @throws IllegalArgumentException if the request names an unknown store, or its
	 * settings contradict the configuration
	 */
	Lease acquire(LockRequest request);

	/**
	 * Acquires a lock like {@link #acquire}, but answers contention with an empty result.
	 * It waits as long as the request says; use {@code withWaitTime(Duration.ZERO)} for
	 * one try.
	 * @param request what to lock
	 * @return the lease, or empty if somebody else held the lock for the whole wait time
	 * @throws LockNotAcquiredException if the thread is interrupted (the flag stays set),
	 * or this instance shuts down
	 * @throws LockStoreException if the store could not be asked
	 * @throws IllegalArgumentException as with {@link #acquire}
	 */
	Optional<Lease> tryAcquire(LockRequest request);

	/**
	 * Acquires a lock without blocking the calling thread. Unless the request or the
	 * {@linkplain LockContext context of the caller} names an explicit owner, each call
	 * is an owner of its own, so that the same thread calling again waits like anybody
	 * else.
	 * @param request what to lock
	 * @return completes, on a thread of the engine, with the lease or with what
	 * {@link #acquire} throws; cancelling it, or completing it in another way such as
	 * {@code orTimeout}, gives up, and releases a lock that was granted at the same
	 * moment. The threads are few: continue with an executor of your own
	 * ({@code thenApplyAsync}) if what follows may block
	 * @throws IllegalArgumentException as with {@link #acquire}
	 */
	CompletableFuture<Lease> acquireAsync(LockRequest request);

	/**
	 * Runs work under a lock. If the request says {@code keep} and the work ends
	 * normally, the key stays taken until its ttl from acquisition is over.
	 * @param <T> what the work gives
	 * @param <E> what the work may throw
	 * @param request what to lock
	 * @param work runs on the calling thread while the lock is held
	 * @return what the work gave
	 * @throws E what the work threw; a lock that was lost meanwhile is suppressed in it
	 * @throws LockLostException if the work ended normally but the lock was lost before
	 * @throws LockNotAcquiredException as with {@link #acquire}; the work did not run
	 * @throws LockStoreException as with {@link #acquire}; the work did not run
	 */
	<T, E extends Exception> T execute(LockRequest request, LockCallback<T, E> work) throws E;

	/**
	 * Runs work without a result under a lock, like {@link #execute}.
	 * @param request what to lock
	 * @param work runs on the calling thread while the lock is held
	 */
	default void executeWithoutResult(LockRequest request, Consumer<Lease> work) {
		this.<Boolean, RuntimeException>execute(request, (lease) -> {
			work.accept(lease);
			return Boolean.TRUE;
		});
	}

	/**
	 * Acquires several locks, all or none, waiting in total as long as the least patient
	 * of the requests says. Blocks. The locks are taken in the same order by all callers,
	 * whatever order they are asked for in, so that callers of this method cannot wait
	 * for each other; a lock that is asked for twice is taken once. Code that holds a
	 * lock already when it calls this gives up that safety.
	 * @param requests what to lock, at least one
	 * @return the leases, all held
	 * @throws LockNotAcquiredException if one of the locks was not had; it names that
	 * one, and the others have been given back
	 * @throws LockStoreException if a store could not be asked; nothing is held
	 * @throws LockLostException if a lock was lost before all were held, and there is no
	 * wait time left to begin again; nothing is held
	 * @throws IllegalArgumentException if there are no requests, two ask for one lock
	 * with different settings, they have different owners, or as with {@link #acquire}
	 */
	MultiLease acquireAll(Collection<LockRequest> requests);

	/**
	 * Acquires several locks like {@link #acquireAll}, without blocking the calling
	 * thread. The owner is chosen as in {@link #acquireAsync}.
	 * @param requests what to lock, at least one
	 * @return completes, on a thread of the engine, with the leases or with what
	 * {@link #acquireAll} throws; cancelling it, or completing it in another way, gives
	 * up and gives all back
	 * @throws IllegalArgumentException as with {@link #acquireAll}
	 */
	CompletableFuture<MultiLease> acquireAllAsync(Collection<LockRequest> requests);

	/**
	 * Runs work under several locks, like {@link #execute} under one.
	 * @param <T> what the work gives
	 * @param <E> what the work may throw
	 * @param requests what to lock, at least one
	 * @param work runs on the calling thread while all locks are held
	 * @return what the work gave
	 * @throws E what the work threw; a lock that was lost meanwhile is suppressed in it
	 * @throws LockLostException if the work ended normally but a lock was lost before; or
	 * as with {@link #acquireAll}
	 * @throws LockNotAcquiredException as with {@link #acquireAll}; the work did not run
	 * @throws LockStoreException as with {@link #acquireAll}; the work did not run
	 */
	<T, E extends Exception> T executeAll(Collection<LockRequest> requests, MultiLockCallback<T, E> work) throws E;

	/**
	 * Tries to acquire each of many locks, and waits for none of them: whatever wait time
	 * the requests have, each lock is had at once or not. Blocks until the store has
	 * answered. A store that can take batches is asked for all in one or very few round
	 * trips.
	 * @param requests what to lock, in any order; may be empty
	 * @return one outcome for each request, in their order. The leases are the caller's
	 * to release, best with {@link #releaseAll}
	 * @throws LockNotAcquiredException if the thread is interrupted (the flag stays set);
	 * nothing is held then
	 * @throws IllegalArgumentException if the requests have different owners or
	 * contradict each other for the same lock, or as with {@link #acquire}
	 */
	List<LockOutcome> tryAcquireEach(Collection<LockRequest> requests);

	/**
	 * Gives many leases back, as {@link Lease#release()} does one by one, in as few round
	 * trips as the store can. Blocks until the store has answered.
	 * @param leases what to release
	 * @return true if all of them were held until this call
	 */
	boolean releaseAll(Collection<? extends Lease> leases);

	/**
	 * Shows a lock as {@link Lock}. {@code lock()} and {@code lockInterruptibly()} wait
	 * without limit, {@code tryLock()} does not wait, whatever wait time the request has.
	 * {@code unlock()} throws {@link IllegalMonitorStateException} if the caller does not
	 * hold the lock, and {@link LockLostException} if it was lost. Conditions are not
	 * supported. On an outage that lasts for the whole wait all methods throw
	 * {@link LockStoreException}; {@code lock()} waits through one that may pass.
	 * @param request what to lock
	 * @return a view that keeps no state of its own: two views of one request are the
	 * same lock
	 */
	Lock asLock(LockRequest request);

	/**
	 * Shows a lock as {@link ReadWriteLock}, whose two sides are like {@link #asLock}.
	 * Readers share the lock; a writer that waits is not starved by readers. Who writes
	 * may read as well, but not the other way round: {@code writeLock()} throws
	 * {@link IllegalStateException} for a caller that reads, since two of them would wait
	 * for each other for ever. A writer that reads and then unlocks {@code writeLock()}
	 * lets other readers in, as with
	 * {@link java.util.concurrent.locks.ReentrantReadWriteLock}; in a store that cannot
	 * do that it stays alone until it unlocks {@code readLock()} as well.
	 * @param request what to lock; its mode is of no importance
	 * @return a view that keeps no state of its own
	 * @throws IllegalArgumentException if the store cannot share a lock
	 */
	ReadWriteLock asReadWriteLock(LockRequest request);

	/**
	 * Checks that a request could be served, without asking the store.
	 * @param request what to lock
	 * @throws IllegalArgumentException if the request names an unknown store, its
	 * settings contradict the configuration, or the store cannot do what it asks for
	 */
	void check(LockRequest request);

}
