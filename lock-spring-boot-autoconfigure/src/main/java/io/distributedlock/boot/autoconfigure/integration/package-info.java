/**
 * Offers Spring Integration the stores of this library when it is there and has no lock
 * registry.
 */
@NullMarked
package io.distributedlock.boot.autoconfigure.integration;

import org.jspecify.annotations.NullMarked;
