/**
 * Several locks at once: transfers that need two, and batches of a thousand. And several
 * holders of one lock at once: readers.
 */
@NullMarked
package io.distributedlock.benchmarks.several;

import org.jspecify.annotations.NullMarked;
