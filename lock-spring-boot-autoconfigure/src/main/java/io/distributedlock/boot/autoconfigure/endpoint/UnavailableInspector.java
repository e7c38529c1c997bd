package io.distributedlock.boot.autoconfigure.endpoint;

import java.util.List;
import java.util.Optional;

import io.distributedlock.LockInspector;
import io.distributedlock.LockKey;
import io.distributedlock.LockStoreException;
import org.jspecify.annotations.Nullable;

import org.springframework.beans.BeansException;

/**
 * Stands in for the inspector of an instance that cannot make one, since its store is out
 * of reach or there is none. Without locks ({@code distributed-lock.enabled=false})
 * applications start all the same.
 *
 * @param error why there is none
 */
record UnavailableInspector(String error) implements LockInspector {

	/**
	 * Finds out whether the inspector can be used.
	 * @param inspector perhaps a proxy that makes the real one when it is first used
	 * @return the inspector, or what stands in for it
	 */
	static LockInspector orElse(LockInspector inspector) {
		try {
			inspector.stores();
			return inspector;
		}
		catch (BeansException ex) {
			return new UnavailableInspector("This instance has no locks: " + reason(ex));
		}
	}

	// Below Spring's exceptions, which speak of beans, and above those of the network.
	private static @Nullable String reason(BeansException failure) {
		Throwable reason = failure;
		while (reason instanceof BeansException && reason.getCause() != null) {
			reason = reason.getCause();
		}
		return reason.getMessage();
	}

	@Override
	public List<String> stores() {
		return List.of();
	}

	@Override
	public List<HeldLock> held() {
		return List.of();
	}

	@Override
	public List<WaitedLock> waiting() {
		return List.of();
	}

	@Override
	public List<LockStatistics> statistics() {
		return List.of();
	}

	@Override
	public List<HotLock> hotKeys() {
		return List.of();
	}

	@Override
	public Optional<StoredLock> find(LockKey key, @Nullable String store) {
		throw new LockStoreException(key, this.error, null);
	}

	@Override
	public boolean forceRelease(LockKey key, @Nullable String store, long fencingToken) {
		throw new LockStoreException(key, this.error, null);
	}

}
