/**
 * Health of locking on this instance: whether leases are renewed, and whether any were
 * lost.
 */
@NullMarked
package io.distributedlock.boot.autoconfigure.health;

import org.jspecify.annotations.NullMarked;
