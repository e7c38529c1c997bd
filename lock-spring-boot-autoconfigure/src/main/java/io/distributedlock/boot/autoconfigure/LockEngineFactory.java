package io.distributedlock.boot.autoconfigure;

import java.util.List;
import java.util.function.Function;

import io.distributedlock.LockListener;
import io.distributedlock.LockPolicy;
import io.distributedlock.LockSettings;
import io.distributedlock.engine.LockEngine;
import io.distributedlock.spi.LockStore;
import org.jspecify.annotations.Nullable;

/**
 * Makes the engine from properties, stores and listeners.
 */
final class LockEngineFactory {

	private final DistributedLockProperties properties;

	LockEngineFactory(DistributedLockProperties properties) {
		this.properties = properties;
	}

	LockEngine create(List<LockStore> stores, List<LockListener> listeners) {
		String defaultStore = defaultStore(stores.stream().map(LockStore::name).toList());
		LockEngine.Builder builder = LockEngine.builder()
			.defaultStore(defaultStore)
			.defaults(this.properties.toSettings().orElse(LockSettings.DEFAULTS))
			.locks(this.properties.toLockSettings())
			.handoff(this.properties.handoff().leases(), this.properties.handoff().time())
			.recheck(this.properties.recheck())
			.commandTimeout(this.properties.commandTimeout())
			.deadlockDetection(this.properties.deadlockDetection().enabled())
			.deadlockThreshold(this.properties.deadlockDetection().threshold());
		Function<String, LockPolicy> policies = this.properties.toPolicies();
		if (policies != null) {
			builder.policies(policies);
		}
		stores.forEach(builder::store);
		listeners.forEach(builder::listener);
		return builder.build();
	}

	private String defaultStore(List<String> names) {
		String chosen = chosen();
		if (names.isEmpty()) {
			throw new NoLockStoreException(chosen);
		}
		if (chosen == null && names.size() > 1 || chosen != null && !names.contains(chosen)) {
			throw new LockStoreChoiceException(chosen, names);
		}
		return (chosen != null) ? chosen : names.get(0);
	}

	private @Nullable String chosen() {
		String store = this.properties.store();
		return (store != null && !store.isBlank()) ? store.trim() : null;
	}

}
