/**
 * Log messages about locks that somebody should look at.
 */
@NullMarked
package io.distributedlock.boot.autoconfigure.logging;

import org.jspecify.annotations.NullMarked;
