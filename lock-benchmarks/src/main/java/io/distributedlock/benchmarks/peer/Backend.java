package io.distributedlock.benchmarks.peer;

/**
 * The kind of server that keeps a peer's locks.
 */
public enum Backend {

	/** Redis. */
	REDIS,

	/** PostgreSQL. */
	POSTGRES

}
