/**
 * Publishes the events of {@link io.distributedlock.spring.event} when somebody listens.
 */
@NullMarked
package io.distributedlock.boot.autoconfigure.event;

import org.jspecify.annotations.NullMarked;
