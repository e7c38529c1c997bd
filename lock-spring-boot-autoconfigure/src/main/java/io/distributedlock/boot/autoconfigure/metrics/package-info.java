/**
 * Meters about locks, tagged by lock name and store, never by key.
 */
@NullMarked
package io.distributedlock.boot.autoconfigure.metrics;

import org.jspecify.annotations.NullMarked;
