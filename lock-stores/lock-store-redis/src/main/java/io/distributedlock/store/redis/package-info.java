/**
 * A lock store on Redis or Valkey, standalone, with Sentinel or as a Cluster, through the
 * settings of a Spring Data Redis connection factory.
 */
@NullMarked
package io.distributedlock.store.redis;

import org.jspecify.annotations.NullMarked;
