package io.distributedlock.spring.event;

import java.time.Duration;

import io.distributedlock.Lease;

/**
 * A lock was given back while it was held.
 *
 * @param lease the lease, released
 * @param held from the grant to the release
 */
public record LockReleasedEvent(Lease lease, Duration held) {
}
