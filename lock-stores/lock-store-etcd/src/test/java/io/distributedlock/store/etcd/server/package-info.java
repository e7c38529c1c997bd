/**
 * Real etcd servers for tests, the sample and benchmarks, on loopback and on free ports.
 */
@NullMarked
package io.distributedlock.store.etcd.server;

import org.jspecify.annotations.NullMarked;
