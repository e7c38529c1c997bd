/**
 * Several locks at once: transfers that need two, and batches of a thousand.
 */
@NullMarked
package io.distributedlock.benchmarks.several;

import org.jspecify.annotations.NullMarked;
