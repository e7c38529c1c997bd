/**
 * The shop: products with a stock, orders, and the one method that must run under a lock.
 */
@NullMarked
package io.distributedlock.sample.shop;

import org.jspecify.annotations.NullMarked;
