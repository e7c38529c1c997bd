/**
 * Auto-configuration of the lock store in ZooKeeper.
 */
@NullMarked
package io.distributedlock.boot.autoconfigure.zookeeper;

import org.jspecify.annotations.NullMarked;
