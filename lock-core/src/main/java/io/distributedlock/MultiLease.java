package io.distributedlock;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;

/**
 * The handle of one caller on several locks that were granted together: all or nothing.
 * As soon as one of them is lost, the whole is not held any more. Each lock has a lease
 * and a fencing token of its own. Safe for use by many threads.
 *
 * <pre>{@code
 * try (MultiLease leases = locks.acquireAll(List.of(LockRequest.of("account", from), LockRequest.of("account", to)))) {
 *     transfer(from, to, amount);
 * }
 * }</pre>
 */
public interface MultiLease extends AutoCloseable {

	/**
	 * Returns the leases of the single locks. Do not release them one by one: this handle
	 * gives all of them back.
	 * @return one lease for each lock, sorted by store and key, without duplicates
	 */
	List<Lease> leases();

	/**
	 * Returns the lease of one of the locks.
	 * @param key which lock
	 * @return its lease
	 * @throws IllegalArgumentException if there is no such lock among them
	 */
	default Lease lease(LockKey key) {
		return leases().stream()
			.filter((lease) -> lease.key().equals(key))
			.findFirst()
			.orElseThrow(() -> new IllegalArgumentException(
					"Lock '" + key + "' is not among these: " + leases().stream().map(Lease::key).toList() + "."));
	}

	/**
	 * Tells whether all locks are held at this moment, as far as can be known on this
	 * side.
	 * @return true if all are held
	 */
	default boolean isHeld() {
		return leases().stream().allMatch(Lease::isHeld);
	}

	/**
	 * Returns how long all locks are held for certain if no renewal succeeds any more.
	 * @return the least of the times to the deadlines, zero if one lock is not held
	 */
	default Duration remaining() {
		return leases().stream().map(Lease::remaining).min(Duration::compareTo).orElse(Duration.ZERO);
	}

	/**
	 * Does nothing while all locks are held. Call it before a step that must not run
	 * without them.
	 * @throws LockLostException if one of the locks was lost; it names the first one
	 * @throws IllegalStateException if the locks were released
	 */
	default void assertHeld() {
		leases().forEach(Lease::assertHeld);
	}

	/**
	 * Registers what to do when the first of the locks is lost. The callback runs at most
	 * once, as with {@link Lease#onLost}.
	 * @param callback receives the loss
	 */
	default void onLost(Consumer<LockLostException> callback) {
		AtomicBoolean told = new AtomicBoolean();
		leases().forEach((lease) -> lease.onLost((loss) -> {
			if (told.compareAndSet(false, true)) {
				callback.accept(loss);
			}
		}));
	}

	/**
	 * Keeps all keys taken after the locks were given back, as {@link Lease#keep()} does
	 * for one.
	 * @throws LockLostException if one of the locks was lost; then none is kept on
	 * @throws IllegalStateException if the locks were released
	 */
	default void keep() {
		assertHeld();
		leases().forEach(Lease::keep);
	}

	/**
	 * Gives all locks back and never throws, as {@link Lease#release()} does for one;
	 * those of one store in one batch if the store can do that.
	 * @return true if all locks were held until this call
	 */
	boolean release();

	/**
	 * Gives all locks back like {@link #release()}, without blocking.
	 * @return completes with what {@link #release()} returns, never exceptionally
	 */
	CompletionStage<Boolean> releaseAsync();

	/**
	 * Gives all locks back like {@link #release()}. A second call does nothing.
	 * @throws LockLostException if one of the locks was lost before this first call, so
	 * that the work done under them must not count as safely done
	 */
	@Override
	void close();

}
