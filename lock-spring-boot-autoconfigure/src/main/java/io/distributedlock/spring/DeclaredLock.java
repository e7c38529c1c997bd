package io.distributedlock.spring;

import io.distributedlock.LockMode;
import io.distributedlock.LockSettings;

/**
 * A method that is annotated with {@link DistributedLock @DistributedLock}, as far as it
 * is of interest for reports.
 *
 * @param method the method as people write it
 * @param name what the lock protects
 * @param settings the settings that hold for it, all given but perhaps the store
 * @param mode whether it is shared with readers
 */
public record DeclaredLock(String method, String name, LockSettings settings, LockMode mode) {
}
