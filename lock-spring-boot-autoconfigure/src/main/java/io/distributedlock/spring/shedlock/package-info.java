/**
 * ShedLock over the stores of this library: a
 * {@link net.javacrumbs.shedlock.core.LockProvider LockProvider} that takes its locks
 * from a {@link io.distributedlock.LockTemplate LockTemplate}.
 */
@NullMarked
package io.distributedlock.spring.shedlock;

import org.jspecify.annotations.NullMarked;
