/**
 * Measures this library and its peers on the same server, with the same work, in one run.
 */
@NullMarked
package io.distributedlock.benchmarks;

import org.jspecify.annotations.NullMarked;
