package io.distributedlock.boot.autoconfigure;

import org.jspecify.annotations.Nullable;

/**
 * There is nothing that keeps locks.
 */
final class NoLockStoreException extends IllegalStateException {

	private static final long serialVersionUID = 1L;

	private final @Nullable String chosen;

	NoLockStoreException(@Nullable String chosen) {
		super(KnownStore.needs(chosen)
			.map((needs) -> "distributed-lock.store is '" + chosen + "', but there is no lock store. " + needs)
			.orElse("There is no lock store: add a store to the classpath or define a LockStore bean."));
		this.chosen = chosen;
	}

	@Nullable String chosen() {
		return this.chosen;
	}

}
