/**
 * What is not throughput: many leases held for long, waking a waiter in another JVM,
 * taking over from a killed holder, very many waiters. Each has worker JVMs that do one
 * {@link io.distributedlock.benchmarks.lease.Task}.
 */
@NullMarked
package io.distributedlock.benchmarks.lease;

import org.jspecify.annotations.NullMarked;
