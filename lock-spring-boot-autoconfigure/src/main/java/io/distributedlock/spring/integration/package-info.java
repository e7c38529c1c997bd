/**
 * Spring Integration over the stores of this library: a
 * {@link org.springframework.integration.support.locks.LockRegistry LockRegistry} that
 * takes its locks from a {@link io.distributedlock.LockTemplate LockTemplate}.
 */
@NullMarked
package io.distributedlock.spring.integration;

import org.jspecify.annotations.NullMarked;
