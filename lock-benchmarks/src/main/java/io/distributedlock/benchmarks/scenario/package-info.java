/**
 * What is measured: who asks for which lock, how often, from how many JVMs.
 */
@NullMarked
package io.distributedlock.benchmarks.scenario;

import org.jspecify.annotations.NullMarked;
