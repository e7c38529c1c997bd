package io.distributedlock.benchmarks.peer;

import org.jspecify.annotations.Nullable;

/**
 * One peer in one JVM: what an application would have as a bean. Safe for use by many
 * threads.
 */
public interface PeerClient extends AutoCloseable {

	/**
	 * Takes a lock, waiting as long as it takes. Blocks. A peer that cannot wait fails if
	 * the lock is taken.
	 * @param key what to lock
	 * @return the lock, held
	 * @throws Exception if the peer says so
	 */
	HeldLock lock(String key) throws Exception;

	/**
	 * Tries once, without waiting.
	 * @param key what to lock
	 * @return the lock, or null if somebody else holds it
	 * @throws Exception if the peer says so
	 */
	@Nullable HeldLock tryLock(String key) throws Exception;

	@Override
	void close();

}
