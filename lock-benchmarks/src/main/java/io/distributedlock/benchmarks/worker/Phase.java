package io.distributedlock.benchmarks.worker;

/**
 * Where a run is.
 */
enum Phase {

	/** Work is done, but not counted. */
	WARM_UP,

	/** Work counts. */
	MEASURED,

	/** Threads finish what they are doing. */
	OVER

}
