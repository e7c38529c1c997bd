/**
 * The engine between callers and stores: gates, grants, local handoff and the watchdog.
 * Only {@link io.distributedlock.engine.LockEngine} and its builder are for use from
 * outside.
 */
@NullMarked
package io.distributedlock.engine;

import org.jspecify.annotations.NullMarked;
