package io.distributedlock.spi;

import java.time.Duration;

import io.distributedlock.LockKey;

/**
 * Takes away whatever an attempt has: its grant, its reservation (which goes to the next
 * waiter) or its place in the queue. Harmless if it has nothing.
 *
 * @param key which lock
 * @param attempt names the attempt
 * @param timeout after this time without an answer the command fails
 */
public record AbandonCommand(LockKey key, AttemptId attempt, Duration timeout) {
}
