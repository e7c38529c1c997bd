package io.distributedlock.spi;

/**
 * A monotonic clock in nanoseconds, as {@link System#nanoTime()}. Tests put in one that
 * they move by hand.
 */
@FunctionalInterface
public interface Ticker {

	/** The clock of the JVM. */
	Ticker SYSTEM = System::nanoTime;

	/**
	 * Returns the time since an arbitrary, fixed moment. Compare two readings only by the
	 * sign of their difference.
	 * @return nanoseconds
	 */
	long nanoTime();

}
