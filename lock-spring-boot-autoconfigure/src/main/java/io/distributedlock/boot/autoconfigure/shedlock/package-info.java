/**
 * Offers ShedLock the stores of this library when ShedLock is there and has no provider.
 */
@NullMarked
package io.distributedlock.boot.autoconfigure.shedlock;

import org.jspecify.annotations.NullMarked;
