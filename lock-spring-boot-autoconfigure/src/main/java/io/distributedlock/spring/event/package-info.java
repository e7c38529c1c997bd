/**
 * Application events about locks, for {@code @EventListener} methods. They are published
 * synchronously, on the thread that acquires or releases the lock: a slow listener makes
 * the lock slow.
 */
@NullMarked
package io.distributedlock.spring.event;

import org.jspecify.annotations.NullMarked;
