package io.distributedlock.spring;

import java.util.function.Function;

import io.distributedlock.LockSettings;

/**
 * How {@link DistributedLock @DistributedLock} behaves in an application.
 *
 * @param enabled false to run all methods without a lock
 * @param defaults what holds where neither the annotation nor the lock's entry in the
 * configuration says anything; all given but perhaps the store
 * @param byName gives the settings that the configuration has for a lock name, perhaps
 * all open; they win over the annotation
 * @param onActiveTransaction what happens when a transaction was begun outside of the
 * method
 */
public record AspectSettings(boolean enabled, LockSettings defaults, Function<String, LockSettings> byName,
		OnActiveTransaction onActiveTransaction) {
}
