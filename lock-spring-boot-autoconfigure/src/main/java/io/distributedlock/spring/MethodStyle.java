package io.distributedlock.spring;

/**
 * When the work of a method is over, and so how its lock is taken and given back.
 */
enum MethodStyle {

	/** The work is over when the method returns. */
	BLOCKING,

	/** The work is over when the returned future has completed. */
	FUTURE,

	/** The work begins with each subscription, and is over when that one ends. */
	REACTIVE,

	/** A Kotlin function that may suspend; the work is over when it returns at last. */
	SUSPENDING

}
