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
	 * @throws IllegalStateException if it is one of several of that name that were taken
	 * together: their tokens belong to different keys, so ask for
	 * {@link #current(LockKey) the one that is meant}
	 */
	public static Optional<Lease> current(String name) {
		List<Lease> innermost = innermost(name);
		if (innermost.size() > 1) {
			throw new IllegalStateException(
					"This code holds several locks of the name '" + name + "', which were taken together: "
							+ innermost.stream().map((lease) -> "'" + lease.key() + "'").toList()
							+ ". Say which is meant: LockContext.current(LockKey.of(\"" + name + "\", ...)).");
		}
		return innermost.stream().findFirst();
	}

	private static List<Lease> innermost(String name) {
		LockOwner owner = CURRENT.get();
		return (owner != null) ? owner.innermost(name) : List.of();
	}

	/**
	 * Returns the innermost lease of a key around the running code.
	 * @param key what is locked
	 * @return the lease, which may be lost; empty if the code does not hold that key
	 */
	public static Optional<Lease> current(LockKey key) {
		List<Lease> leases = leases();
		for (int i = leases.size() - 1; i >= 0; i--) {
			if (leases.get(i).key().equals(key)) {
				return Optional.of(leases.get(i));
			}
		}
		return Optional.empty();
	}

	/**
	 * Does nothing if the running code holds a lock of this name. Otherwise it fails, so
	 * that a forgotten annotation or a call past the proxy is found. Of several that were
	 * taken together it demands all of that name.
	 * @param name what the lock protects
	 * @throws IllegalStateException if the running code has no lease of that name
	 * @throws LockLostException if it had one and lost it
	 */
	public static void assertHeld(String name) {
		List<Lease> innermost = innermost(name);
		if (innermost.isEmpty()) {
			throw missing(name, "none of that name");
		}
		innermost.forEach(Lease::assertHeld);
	}

	/**
	 * Does nothing if the running code holds the lock of this key. Otherwise it fails.
	 * @param key what is locked
	 * @throws IllegalStateException if the running code has no lease of that key
	 * @throws LockLostException if it had one and lost it
	 */
	public static void assertHeld(LockKey key) {
		current(key).orElseThrow(() -> missing(key.toString(), "no lease of that key")).assertHeld();
	}

	private static IllegalStateException missing(String lock, String held) {
		return new IllegalStateException("This code must run under the lock '" + lock + "', but " + owner() + " holds "
				+ held + ". Was the annotated method called from within its own class, past the proxy?");
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
