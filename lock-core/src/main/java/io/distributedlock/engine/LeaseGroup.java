package io.distributedlock.engine;

import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicBoolean;

import io.distributedlock.Lease;
import io.distributedlock.LeaseState;
import io.distributedlock.LockOwner;
import io.distributedlock.MultiLease;

/**
 * The leases that one caller has taken together.
 */
final class LeaseGroup implements MultiLease {

	private final List<Lease> leases;

	private final AtomicBoolean open = new AtomicBoolean(true);

	/**
	 * Makes a group.
	 * @param owner who has opened the leases
	 */
	LeaseGroup(LockOwner owner, List<LeaseHandle> leases) {
		this.leases = List.copyOf(leases);
		owner.grouped(this.leases);
	}

	@Override
	public List<Lease> leases() {
		return this.leases;
	}

	@Override
	public boolean release() {
		return this.open.compareAndSet(true, false) && releaseAll(this.leases);
	}

	@Override
	public CompletionStage<Boolean> releaseAsync() {
		return this.open.compareAndSet(true, false) ? releaseAllAsync(this.leases)
				: CompletableFuture.completedFuture(false);
	}

	@Override
	public void close() {
		if (!this.open.compareAndSet(true, false) || releaseAll(this.leases)) {
			return;
		}
		for (Lease lease : this.leases) {
			if (lease.state() == LeaseState.LOST) {
				throw ((LeaseHandle) lease).lost();
			}
		}
	}

	@Override
	public String toString() {
		return "MultiLease" + this.leases;
	}

	/**
	 * Gives leases back, the last one first, and waits for the answers to all of them
	 * together.
	 * @return true if all were held until now
	 */
	static boolean releaseAll(Collection<? extends Lease> leases) {
		List<LeaseHandle> handles = new ArrayList<>(leases.size());
		List<Lease> others = new ArrayList<>();
		split(leases, handles, others);
		Collections.reverse(handles);
		List<KeyGate.Closing> closings = begin(handles);
		boolean held = true;
		for (int i = 0; i < closings.size(); i++) {
			held &= handles.get(i).endRelease(closings.get(i));
		}
		for (Lease other : others) {
			held &= other.release();
		}
		return held;
	}

	static CompletableFuture<Boolean> releaseAllAsync(Collection<? extends Lease> leases) {
		List<LeaseHandle> handles = new ArrayList<>(leases.size());
		List<Lease> others = new ArrayList<>();
		split(leases, handles, others);
		Collections.reverse(handles);
		List<KeyGate.Closing> closings = begin(handles);
		List<CompletableFuture<Boolean>> outcomes = new ArrayList<>(leases.size());
		for (int i = 0; i < closings.size(); i++) {
			outcomes.add(handles.get(i).endReleaseAsync(closings.get(i)));
		}
		others.forEach((other) -> outcomes.add(other.releaseAsync().toCompletableFuture()));
		return CompletableFuture.allOf(outcomes.toArray(CompletableFuture<?>[]::new))
			.thenApply((done) -> outcomes.stream().allMatch(CompletableFuture::join));
	}

	private static void split(Collection<? extends Lease> leases, List<LeaseHandle> handles, List<Lease> others) {
		for (Lease lease : leases) {
			if (lease instanceof LeaseHandle handle) {
				handles.add(handle);
			}
			else {
				others.add(lease);
			}
		}
	}

	private static List<KeyGate.Closing> begin(List<LeaseHandle> handles) {
		List<KeyGate.Closing> closings = new ArrayList<>(handles.size());
		StoreBatch.collect(() -> handles.forEach((handle) -> closings.add(handle.beginRelease())));
		return closings;
	}

}
