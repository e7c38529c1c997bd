package io.distributedlock.boot.autoconfigure;

/**
 * A name of locks that are taken by an adapter, such as the one for caches. There may be
 * an entry for it in the configuration though no method is annotated with it. Beans of
 * this type are what the start-up check knows of adapters.
 *
 * @param value the name
 */
public record AdapterLockName(String value) {
}
