/**
 * The JVMs that do the work: one peer, one scenario, one run, one line of JSON.
 */
@NullMarked
package io.distributedlock.benchmarks.worker;

import org.jspecify.annotations.NullMarked;
