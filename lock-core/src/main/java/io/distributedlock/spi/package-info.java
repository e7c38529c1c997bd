/**
 * What a store has to do: the server-side half of a lock, as atomic, owner-checked,
 * asynchronous commands that never wait for a lock. The contract tests of
 * {@code lock-test} judge an implementation.
 */
@NullMarked
package io.distributedlock.spi;

import org.jspecify.annotations.NullMarked;
