/**
 * The servers that the peers share, and the counters read from them.
 */
@NullMarked
package io.distributedlock.benchmarks.server;

import org.jspecify.annotations.NullMarked;
