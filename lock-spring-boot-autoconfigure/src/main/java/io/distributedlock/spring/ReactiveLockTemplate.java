package io.distributedlock.spring;

import java.util.Collection;
import java.util.function.Function;

import io.distributedlock.Lease;
import io.distributedlock.LockRequest;
import io.distributedlock.MultiLease;
import org.reactivestreams.Publisher;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/**
 * Takes and holds distributed locks for Reactor, without blocking any thread. It is
 * {@link io.distributedlock.LockTemplate} in reactive form: the same locks, the same
 * three failures, as error signals. Safe for use by many threads.
 * <p>
 * Nothing happens before subscription, and each subscription takes the lock anew. The
 * owner is, in this order: the one of the request; the one under the key
 * {@code LockOwner.class} in the Reactor context; the one that is
 * {@linkplain io.distributedlock.LockContext#bind bound} to the subscribing thread; one
 * of its own. {@link #execute} and {@link #executeMany} put it into the context of the
 * work, so that what is nested in it re-enters.
 * <p>
 * Signals go on with a thread of {@link reactor.core.scheduler.Schedulers#parallel()},
 * which must not be blocked.
 */
public interface ReactiveLockTemplate {

	/**
	 * Acquires a lock, waiting as long as the request says. Who subscribes has to release
	 * the lease, with {@link Lease#releaseAsync()}; prefer {@link #execute}, which cannot
	 * forget.
	 * @param request what to lock
	 * @return the lease, held; or the error that
	 * {@link io.distributedlock.LockTemplate#acquire} throws. Cancelling gives up, and
	 * releases a lock that was granted but not delivered; a subscriber that drops what
	 * arrives while it cancels forgets to release it
	 */
	Mono<Lease> acquire(LockRequest request);

	/**
	 * Runs work that gives at most one value under a lock. The lock is released when the
	 * work completes, fails or is cancelled, before the signal goes on. If the request
	 * says {@code keep} and the work completes, the key stays taken until its ttl from
	 * acquisition is over.
	 * @param <T> what the work gives
	 * @param request what to lock
	 * @param work called when the lock is there, once per subscription
	 * @return what the work gives; or its error, in which a lock that was lost meanwhile
	 * is suppressed. A {@link io.distributedlock.LockLostException} as soon as the lock
	 * is lost, when the work is cancelled. If the lock was not had, the error that
	 * {@link io.distributedlock.LockTemplate#acquire} throws
	 */
	<T> Mono<T> execute(LockRequest request, Function<Lease, ? extends Mono<T>> work);

	/**
	 * Runs work that gives any number of values under a lock, like {@link #execute}. A
	 * slow subscriber holds the lock longer.
	 * @param <T> what the work gives
	 * @param request what to lock
	 * @param work called when the lock is there, once per subscription
	 * @return what the work gives, or an error as with {@link #execute}
	 */
	<T> Flux<T> executeMany(LockRequest request, Function<Lease, ? extends Publisher<T>> work);

	/**
	 * Acquires several locks, all or none, like {@link #acquire} one. Who subscribes has
	 * to release them, with {@link MultiLease#releaseAsync()}; prefer
	 * {@link #executeAll}.
	 * @param requests what to lock, at least one; all with the same owner, or none
	 * @return the leases, all held; or the error that
	 * {@link io.distributedlock.LockTemplate#acquireAll} throws. Cancelling gives up, and
	 * releases what was granted but not delivered
	 */
	Mono<MultiLease> acquireAll(Collection<LockRequest> requests);

	/**
	 * Runs work that gives at most one value under several locks, like {@link #execute}
	 * under one. As soon as one of them is lost, the work is cancelled.
	 * @param <T> what the work gives
	 * @param requests what to lock, at least one; all with the same owner, or none
	 * @param work called when all locks are there, once per subscription
	 * @return what the work gives, or an error as with {@link #execute}. If the locks
	 * were not had, the error that {@link io.distributedlock.LockTemplate#acquireAll}
	 * throws
	 */
	<T> Mono<T> executeAll(Collection<LockRequest> requests, Function<MultiLease, ? extends Mono<T>> work);

	/**
	 * Runs work that gives any number of values under several locks, like
	 * {@link #executeMany} under one.
	 * @param <T> what the work gives
	 * @param requests what to lock, at least one; all with the same owner, or none
	 * @param work called when all locks are there, once per subscription
	 * @return what the work gives, or an error as with {@link #executeAll}
	 */
	<T> Flux<T> executeAllMany(Collection<LockRequest> requests, Function<MultiLease, ? extends Publisher<T>> work);

}
