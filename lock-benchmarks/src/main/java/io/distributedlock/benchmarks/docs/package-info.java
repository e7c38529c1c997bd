/**
 * Makes the tables and charts of {@code docs/benchmarks.md} from files of results, so
 * that no figure there is copied by hand.
 */
@NullMarked
package io.distributedlock.benchmarks.docs;

import org.jspecify.annotations.NullMarked;
