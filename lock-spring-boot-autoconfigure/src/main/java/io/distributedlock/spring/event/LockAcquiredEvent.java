package io.distributedlock.spring.event;

import java.time.Duration;

import io.distributedlock.Lease;

/**
 * A lock was acquired. Published on the thread that acquired it, before its work begins.
 *
 * @param lease the lease
 * @param waited from the call to the grant
 */
public record LockAcquiredEvent(Lease lease, Duration waited) {
}
