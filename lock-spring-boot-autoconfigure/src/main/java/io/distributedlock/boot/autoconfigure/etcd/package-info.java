/**
 * Auto-configuration of the lock store in etcd.
 */
@NullMarked
package io.distributedlock.boot.autoconfigure.etcd;

import org.jspecify.annotations.NullMarked;
