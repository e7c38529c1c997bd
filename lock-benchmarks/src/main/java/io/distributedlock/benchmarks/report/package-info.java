/**
 * Results of runs, and what is made of them: ratios, a table, the goals.
 */
@NullMarked
package io.distributedlock.benchmarks.report;

import org.jspecify.annotations.NullMarked;
