/**
 * Locks for tests that auto-configure only a part of an application.
 */
@NullMarked
package io.distributedlock.boot.test.autoconfigure;

import org.jspecify.annotations.NullMarked;
