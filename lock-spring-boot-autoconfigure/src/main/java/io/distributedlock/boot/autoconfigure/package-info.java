/**
 * Makes distributed locks available to a Spring Boot application: the engine over the
 * stores that are there, {@code @DistributedLock}, the guard of transactions, and the
 * properties {@code distributed-lock.*}.
 */
@NullMarked
package io.distributedlock.boot.autoconfigure;

import org.jspecify.annotations.NullMarked;
