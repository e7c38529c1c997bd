/**
 * Loads values of shared caches once in the whole cluster, where the application wants
 * that.
 */
@NullMarked
package io.distributedlock.boot.autoconfigure.cache;

import org.jspecify.annotations.NullMarked;
