/**
 * What an application sees of a distributed lock: {@link io.distributedlock.LockTemplate}
 * takes a {@link io.distributedlock.LockRequest} and gives a
 * {@link io.distributedlock.Lease}.
 */
@NullMarked
package io.distributedlock;

import org.jspecify.annotations.NullMarked;
