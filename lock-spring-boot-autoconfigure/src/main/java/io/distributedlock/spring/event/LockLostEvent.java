package io.distributedlock.spring.event;

import java.time.Duration;

import io.distributedlock.Lease;
import io.distributedlock.LockLostException;

/**
 * A lock was lost while its holder still worked under it.
 *
 * @param lease the lease, lost
 * @param exception what the holder gets, with the reason
 * @param held from the grant to the moment the loss was noticed
 */
public record LockLostEvent(Lease lease, LockLostException exception, Duration held) {
}
