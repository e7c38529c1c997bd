package io.distributedlock;

import java.lang.ref.WeakReference;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.ReentrantLock;

import org.jspecify.annotations.Nullable;

/**
 * On whose behalf locks are held: a thread, or an explicit owner that work carries from
 * thread to thread. Locks are re-entrant per owner. An owner is compared by identity and
 * means nothing outside its JVM.
 * <p>
 * Safe for use by many threads.
 */
public final class LockOwner {

	private static final AtomicLong SEQUENCE = new AtomicLong();

	private final String description;

	private final @Nullable WeakReference<Thread> thread;

	private final ReentrantLock mutex = new ReentrantLock();

	// Innermost last. Guarded by mutex, since a lease may be closed on another thread
	// than it was opened on.
	private final List<Lease> leases = new ArrayList<>(2);

	// Those that were taken together, the innermost last. Guarded by mutex.
	private List<List<Lease>> groups = List.of();

	private LockOwner(String description, @Nullable Thread thread) {
		this.description = description;
		this.thread = (thread != null) ? new WeakReference<>(thread) : null;
	}

	/**
	 * Makes an owner that is tied to no thread.
	 * @param description for logs and the endpoint
	 * @return a new owner
	 */
	public static LockOwner create(String description) {
		return new LockOwner(description + "#" + SEQUENCE.incrementAndGet(), null);
	}

	static LockOwner ofThread(Thread thread) {
		String name = thread.getName();
		return new LockOwner(name.isEmpty() ? "thread-" + SEQUENCE.incrementAndGet() : name, thread);
	}

	/** Tells whether this is a thread's own owner. */
	boolean isThread(Thread candidate) {
		return this.thread != null && this.thread.get() == candidate;
	}

	/**
	 * Returns the leases that this owner has opened and not closed yet, outermost first.
	 * A lost lease stays until it is closed.
	 * @return a snapshot
	 */
	public List<Lease> leases() {
		this.mutex.lock();
		try {
			return List.copyOf(this.leases);
		}
		finally {
			this.mutex.unlock();
		}
	}

	/**
	 * Tells whether this owner can no longer release anything itself: it was a thread,
	 * and that thread has ended.
	 * @return true if the owning thread has ended; always false for an owner that is tied
	 * to no thread
	 */
	public boolean isGone() {
		if (this.thread == null) {
			return false;
		}
		Thread owningThread = this.thread.get();
		return owningThread == null || !owningThread.isAlive();
	}

	/**
	 * Puts a lease among those that this owner holds. For implementations of
	 * {@link LockTemplate}, not for applications.
	 * @param lease the lease that was just granted
	 */
	public void opened(Lease lease) {
		this.mutex.lock();
		try {
			this.leases.add(lease);
		}
		finally {
			this.mutex.unlock();
		}
	}

	/**
	 * Says that leases, opened before, were taken together, so that none of them is the
	 * innermost. For implementations of {@link LockTemplate}, not for applications.
	 * @param together leases of this owner
	 */
	public void grouped(List<? extends Lease> together) {
		if (together.size() < 2) {
			return;
		}
		this.mutex.lock();
		try {
			List<List<Lease>> more = new ArrayList<>(this.groups);
			more.add(new ArrayList<>(together));
			this.groups = more;
		}
		finally {
			this.mutex.unlock();
		}
	}

	private void ungroup(Lease closed) {
		if (!this.groups.isEmpty()) {
			this.groups.forEach((group) -> group.removeIf((lease) -> lease == closed));
			this.groups.removeIf(List::isEmpty);
		}
	}

	/**
	 * Returns the innermost lease of a name, and before it those that were taken together
	 * with it and have that name too.
	 */
	List<Lease> innermost(String name) {
		this.mutex.lock();
		try {
			for (int i = this.leases.size() - 1; i >= 0; i--) {
				Lease lease = this.leases.get(i);
				if (lease.key().name().equals(name)) {
					return takenWith(lease);
				}
			}
			return List.of();
		}
		finally {
			this.mutex.unlock();
		}
	}

	private List<Lease> takenWith(Lease lease) {
		for (List<Lease> group : this.groups) {
			for (Lease one : group) {
				if (one == lease) {
					return group.stream().filter((each) -> each.key().name().equals(lease.key().name())).toList();
				}
			}
		}
		return List.of(lease);
	}

	/**
	 * Takes a lease away from those that this owner holds. For implementations of
	 * {@link LockTemplate}, not for applications.
	 * @param lease the lease that was just closed
	 */
	public void closed(Lease lease) {
		this.mutex.lock();
		try {
			for (int i = this.leases.size() - 1; i >= 0; i--) {
				if (this.leases.get(i) == lease) {
					this.leases.remove(i);
					ungroup(lease);
					return;
				}
			}
		}
		finally {
			this.mutex.unlock();
		}
	}

	/**
	 * Returns a text for logs.
	 */
	@Override
	public String toString() {
		return this.description;
	}

}
