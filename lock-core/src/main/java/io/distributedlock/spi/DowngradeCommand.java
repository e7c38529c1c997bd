package io.distributedlock.spi;

import java.time.Duration;

import io.distributedlock.LockKey;

/**
 * Asks to turn an exclusive grant into a reader's share.
 *
 * @param key which lock
 * @param attempt names the exclusive grant, which ends
 * @param reader names the share that takes its place; it has been used for nothing else
 * @param ttl how long the share lives from now without renewal
 * @param timeout after this time without an answer the command fails
 */
public record DowngradeCommand(LockKey key, AttemptId attempt, AttemptId reader, Duration ttl, Duration timeout) {
}
