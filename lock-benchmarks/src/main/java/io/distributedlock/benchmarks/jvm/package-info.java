/**
 * The JVMs of a run: how they are started, what they and their driver say to each other,
 * and the memory that they share.
 */
@NullMarked
package io.distributedlock.benchmarks.jvm;

import org.jspecify.annotations.NullMarked;
