/**
 * Auto-configuration of the lock store in a database, and of its tables.
 */
@NullMarked
package io.distributedlock.boot.autoconfigure.jdbc;

import org.jspecify.annotations.NullMarked;
