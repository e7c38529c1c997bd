package io.distributedlock.engine;

import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.locks.ReentrantLock;

import org.jspecify.annotations.Nullable;

/**
 * The long waits of this JVM, by their ids and by what their owners hold. The second is
 * where to look, not what is true: an owner may have given back what it is listed with.
 * Safe for use by many threads.
 */
final class LongWaits {

	private final ReentrantLock mutex = new ReentrantLock();

	private final Map<String, LongWait> byId = new HashMap<>();

	private final Map<LockName, Set<LongWait>> byHeldLock = new HashMap<>();

	/** The locks with which a wait is listed. */
	private final Map<LongWait, Set<LockName>> listed = new HashMap<>();

	/**
	 * Takes a wait in, or sees that it is listed with all that its owner holds now.
	 * @return false if the owner holds nothing, or the wait is over
	 */
	boolean list(LongWait wait) {
		List<LeaseHandle> held = wait.held();
		if (held.isEmpty()) {
			return false;
		}
		this.mutex.lock();
		try {
			// Who removes a wait has ended it before.
			if (wait.isOver()) {
				return false;
			}
			this.byId.put(wait.id, wait);
			Set<LockName> names = this.listed.computeIfAbsent(wait, (absent) -> new LinkedHashSet<>());
			for (LeaseHandle lease : held) {
				KeyGate gate = lease.hold.grant.gate;
				LockName name = new LockName(gate.runtime().name(), gate.key.id());
				if (names.add(name)) {
					this.byHeldLock.computeIfAbsent(name, (absent) -> new LinkedHashSet<>()).add(wait);
				}
			}
			return true;
		}
		finally {
			this.mutex.unlock();
		}
	}

	void remove(LongWait wait) {
		this.mutex.lock();
		try {
			this.byId.remove(wait.id);
			Set<LockName> names = this.listed.remove(wait);
			if (names == null) {
				return;
			}
			for (LockName name : names) {
				this.byHeldLock.computeIfPresent(name, (same, waits) -> {
					waits.remove(wait);
					return waits.isEmpty() ? null : waits;
				});
			}
		}
		finally {
			this.mutex.unlock();
		}
	}

	@Nullable LongWait find(String id) {
		this.mutex.lock();
		try {
			return this.byId.get(id);
		}
		finally {
			this.mutex.unlock();
		}
	}

	/** Returns the waits of owners that hold a lock, or held it a moment ago. */
	List<LongWait> ofHolders(StoreRuntime runtime, String keyId) {
		this.mutex.lock();
		try {
			return List.copyOf(this.byHeldLock.getOrDefault(new LockName(runtime.name(), keyId), Set.of()));
		}
		finally {
			this.mutex.unlock();
		}
	}

	int size() {
		this.mutex.lock();
		try {
			return Math.max(this.byId.size(), this.byHeldLock.size());
		}
		finally {
			this.mutex.unlock();
		}
	}

	private record LockName(String store, String keyId) {
	}

}
