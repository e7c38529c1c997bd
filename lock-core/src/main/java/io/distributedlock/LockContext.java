package io.distributedlock;

import java.util.List;
import java.util.Optional;

import org.jspecify.annotations.Nullable;

/**
 * The leases around the running code. They follow the {@linkplain LockOwner owner}: the
 * calling thread, or the owner that was {@linkplain #bind(LockOwner) bound} to it.
 * <p>
 * Use it where code must run under a lock but did not take it itself:
 *
 * <pre>{@code
 * void writeStock(long productId, int stock) {
 *     LockContext.assertHeld("stock");
 *     jdbc.update("...", stock, LockContext.current("stock").orElseThrow().fencingToken());
 * }
 * }</pre>
 */
public final class LockContext {

	private static final ThreadLocal<LockOwner> CURRENT = new ThreadLocal<>();

	private LockContext() {
	}

	/**
	 * Returns the owner of the running code: the bound one, or else the calling thread's
	 * own.
	 * @return the owner
	 */
	public static LockOwner owner() {
		LockOwner owner = CURRENT.get();
		if (owner == null) {
			owner = LockOwner.ofThread(Thread.currentThread());
			CURRENT.set(owner);
		}
		return owner;
	}

	/**
	 * Returns the owner that is bound to the calling thread.
	 * @return the owner that was given to {@link #bind}, or null if the code runs for the
	 * thread itself
	 */
	public static @Nullable LockOwner boundOwner() {
		LockOwner owner = CURRENT.get();
		return (owner != null && !owner.isThread(Thread.currentThread())) ? owner : null;
	}

	/**
	 * Makes the calling thread act for an owner until the scope is closed.
	 * @param owner the owner to act for
	 * @return the scope, to be closed on the same thread, innermost first
	 */
	public static Scope bind(LockOwner owner) {
		LockOwner previous = CURRENT.get();
		CURRENT.set(owner);
		return () -> restore(previous);
	}

	private static void restore(@Nullable LockOwner previous) {
		if (previous != null) {
			CURRENT.set(previous);
		}
		else {
			CURRENT.remove();
		}
	}

	/**
	 * Returns the leases around the running code, outermost first. Lost ones are among
	 * them until they are closed.
	 * @return a snapshot, empty if the code holds nothing
	 */
	public static List<Lease> leases() {
		LockOwner owner = CURRENT.get();
		return (owner != null) ? owner.leases() : List.of();
	}

	/**
	 * Returns the innermost lease around the running code.
	 * @return the lease, which may be lost; empty if the code holds nothing
	 */
	public static Optional<Lease> current() {
		List<Lease> leases = leases();
		return leases.isEmpty() ? Optional.empty() : Optional.of(leases.get(leases.size() - 1));
	}

	/**
	 * Returns the innermost lease of a name around the running code.
	 * @param name what the lock protects
	 * @return the lease, which may be lost; empty if the code holds none of that name
	 */
	public static Optional<Lease> current(String name) {
		List<Lease> leases = leases();
		for (int i = leases.size() - 1; i >= 0; i--) {
			if (leases.get(i).key().name().equals(name)) {
				return Optional.of(leases.get(i));
			}
		}
		return Optional.empty();
	}

	/**
	 * Does nothing if the running code holds a lock of this name. Otherwise it fails, so
	 * that a forgotten annotation or a call past the proxy is found.
	 * @param name what the lock protects
	 * @throws IllegalStateException if the running code has no lease of that name
	 * @throws LockLostException if it had one and lost it
	 */
	public static void assertHeld(String name) {
		Lease lease = current(name).orElseThrow(() -> new IllegalStateException("This code must run under the lock '"
				+ name + "', but " + owner() + " holds none of that name. Was the annotated method called from within"
				+ " its own class, past the proxy?"));
		lease.assertHeld();
	}

	/**
	 * Undoes a {@link LockContext#bind}.
	 */
	@FunctionalInterface
	public interface Scope extends AutoCloseable {

		@Override
		void close();

	}

}
