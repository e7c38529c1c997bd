package io.distributedlock.benchmarks.worker;

import java.time.Duration;

/**
 * What one worker JVM has to do.
 *
 * @param peer name of the peer
 * @param server {@code host:port} of its server, or several with commas between them
 * @param prefix what the names of all keys begin with
 * @param work what the threads do
 * @param keys which keys they lock
 * @param threads how many threads this JVM has
 * @param firstThread number of its first thread, counted through all JVMs
 * @param allThreads how many threads all JVMs have together
 * @param sectionNanos length of the critical section
 * @param triesPerSecond tries of all threads of this JVM together, for {@link Work#TRIES}
 * @param sharedMemory file of the check for mutual exclusion
 */
public record WorkerSpec(String peer, String server, String prefix, Work work, Keys keys, int threads, int firstThread,
		int allThreads, long sectionNanos, int triesPerSecond, String sharedMemory) {

	/** How long a thread may go on after the end of a run before it counts as stuck. */
	static final Duration DRAIN = Duration.ofSeconds(45);

	/**
	 * What the threads of a worker do.
	 */
	public enum Work {

		/** Lock, critical section, unlock, again and again. */
		CYCLES,

		/** Hold the hot key from before the run to its end. */
		HOLD,

		/** Try for the hot key, at a fixed rate, while another JVM holds it. */
		TRIES,

		/** Hold the hot key with one more thread, and try for it. */
		HOLD_AND_TRIES

	}

}
