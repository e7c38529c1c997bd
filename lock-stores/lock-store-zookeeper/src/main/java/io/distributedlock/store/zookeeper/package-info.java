/**
 * A lock store on Apache ZooKeeper, through sessions that Apache Curator keeps.
 */
@NullMarked
package io.distributedlock.store.zookeeper;

import org.jspecify.annotations.NullMarked;
