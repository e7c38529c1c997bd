/**
 * {@link io.distributedlock.spring.DistributedLock @DistributedLock} and the advisor that
 * stands behind it. Needs Spring only, no Spring Boot.
 */
@NullMarked
package io.distributedlock.spring;

import org.jspecify.annotations.NullMarked;
