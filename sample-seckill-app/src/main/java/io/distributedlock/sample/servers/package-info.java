/**
 * Real Redis and PostgreSQL servers for people who have none at hand: unpacked from Maven
 * Central's jars, shared by all running instances of the sample, ended by the last one.
 */
@NullMarked
package io.distributedlock.sample.servers;

import org.jspecify.annotations.NullMarked;
