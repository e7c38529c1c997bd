/**
 * What a lock costs within one JVM, measured with JMH on the in-memory store: no network
 * and no server, so that what is left is this library's own work.
 */
@NullMarked
package io.distributedlock.benchmarks.jmh;

import org.jspecify.annotations.NullMarked;
