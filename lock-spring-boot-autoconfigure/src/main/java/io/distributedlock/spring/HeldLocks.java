package io.distributedlock.spring;

import java.util.List;
import java.util.concurrent.CompletionStage;
import java.util.function.Consumer;

import io.distributedlock.Lease;
import io.distributedlock.LeaseState;
import io.distributedlock.LockLostException;
import io.distributedlock.MultiLease;
import org.jspecify.annotations.Nullable;

/**
 * What one call holds while its method runs: one lease, or several that count as one.
 */
sealed interface HeldLocks {

	List<Lease> leases();

	boolean isHeld();

	void onLost(Consumer<LockLostException> callback);

	void keep();

	boolean release();

	CompletionStage<Boolean> releaseAsync();

	void close();

	/**
	 * Returns the first loss, or null if no lock was lost.
	 */
	default @Nullable LockLostException loss() {
		for (Lease lease : leases()) {
			if (lease.state() == LeaseState.LOST) {
				return Losses.of(lease);
			}
		}
		return null;
	}

	/**
	 * Does nothing unless a lock was lost; a lock that was released is none.
	 * @throws LockLostException the first loss
	 */
	default void refuseLost() {
		LockLostException loss = loss();
		if (loss != null) {
			throw loss;
		}
	}

	/**
	 * The lock of a key.
	 *
	 * @param lease its lease
	 */
	record One(Lease lease) implements HeldLocks {

		@Override
		public List<Lease> leases() {
			return List.of(this.lease);
		}

		@Override
		public boolean isHeld() {
			return this.lease.isHeld();
		}

		@Override
		public void onLost(Consumer<LockLostException> callback) {
			this.lease.onLost(callback);
		}

		@Override
		public void keep() {
			this.lease.keep();
		}

		@Override
		public boolean release() {
			return this.lease.release();
		}

		@Override
		public CompletionStage<Boolean> releaseAsync() {
			return this.lease.releaseAsync();
		}

		@Override
		public void close() {
			this.lease.close();
		}

	}

	/**
	 * The locks of {@link DistributedLock#lockAll}.
	 *
	 * @param all their leases
	 */
	record Several(MultiLease all) implements HeldLocks {

		@Override
		public List<Lease> leases() {
			return this.all.leases();
		}

		@Override
		public boolean isHeld() {
			return this.all.isHeld();
		}

		@Override
		public void onLost(Consumer<LockLostException> callback) {
			this.all.onLost(callback);
		}

		@Override
		public void keep() {
			this.all.keep();
		}

		@Override
		public boolean release() {
			return this.all.release();
		}

		@Override
		public CompletionStage<Boolean> releaseAsync() {
			return this.all.releaseAsync();
		}

		@Override
		public void close() {
			this.all.close();
		}

	}

}
