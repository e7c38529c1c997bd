/**
 * ZooKeeper servers for tests, each in a process of its own.
 */
@NullMarked
package io.distributedlock.store.zookeeper.server;

import org.jspecify.annotations.NullMarked;
