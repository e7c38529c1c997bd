/**
 * Spans about acquiring and holding locks, for applications that have a tracer.
 */
@NullMarked
package io.distributedlock.boot.autoconfigure.observation;

import org.jspecify.annotations.NullMarked;
