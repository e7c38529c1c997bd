/**
 * Load runs: thousands of buyers who storm the shop through its HTTP interface.
 */
@NullMarked
package io.distributedlock.sample.load;

import org.jspecify.annotations.NullMarked;
