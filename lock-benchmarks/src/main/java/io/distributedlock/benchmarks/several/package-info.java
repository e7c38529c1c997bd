/**
 * Several locks at once: transfers that need two, and batches of a thousand. And several
 * holders of one lock at once: readers. And callers that wait for each other.
 */
@NullMarked
package io.distributedlock.benchmarks.several;

import org.jspecify.annotations.NullMarked;
