package io.distributedlock.benchmarks.lease;

/**
 * What a worker JVM has to do.
 *
 * @param task what
 * @param peer name of the peer
 * @param server {@code host:port} of its server
 * @param prefix what the names of all keys begin with
 * @param ttlMillis how long the store keeps a lock without renewal; zero for the peer's
 * default
 * @param count how many leases or threads
 * @param warmUpMillis how long work does not count
 * @param measuredMillis how long it counts
 * @param sharedMemory a file that all workers of a run map
 */
public record TaskSpec(Task task, String peer, String server, String prefix, long ttlMillis, int count,
		long warmUpMillis, long measuredMillis, String sharedMemory) {
}
