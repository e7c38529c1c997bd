package io.distributedlock.spi;

/**
 * With whom a grant shares a lock.
 */
public sealed interface Share {

	/** With all others that read. */
	Share READERS = new Readers();

	/**
	 * With all others that read.
	 */
	record Readers() implements Share {

	}

	/**
	 * With others that have a permit.
	 *
	 * @param limit how many holders there may be, this one included
	 */
	record Permits(int limit) implements Share {

	}

}
