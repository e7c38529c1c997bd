/**
 * A lock store on etcd 3.4 or later, through the application's jetcd client: every change
 * is one transaction, and leases end what a dead JVM leaves behind.
 */
@NullMarked
package io.distributedlock.store.etcd;

import org.jspecify.annotations.NullMarked;
