/**
 * For tests of lock stores and of code under locks: the contract that every store has to
 * meet, a store in memory whose clock can be moved by hand, and a wrapper that makes any
 * store fail on demand.
 */
@NullMarked
package io.distributedlock.test;

import org.jspecify.annotations.NullMarked;
