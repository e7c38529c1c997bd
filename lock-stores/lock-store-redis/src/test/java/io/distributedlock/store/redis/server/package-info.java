/**
 * Real Redis servers for tests, on loopback and on free ports.
 */
@NullMarked
package io.distributedlock.store.redis.server;

import org.jspecify.annotations.NullMarked;
