/**
 * Real databases for tests, on loopback and on free ports.
 */
@NullMarked
package io.distributedlock.store.jdbc.server;

import org.jspecify.annotations.NullMarked;
