/**
 * The lock libraries that are compared, each behind the same thin adapter.
 */
@NullMarked
package io.distributedlock.benchmarks.peer;

import org.jspecify.annotations.NullMarked;
