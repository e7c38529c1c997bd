package io.distributedlock.benchmarks.worker;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.concurrent.atomic.LongAdder;

import io.distributedlock.benchmarks.jvm.SharedLongs;

/**
 * Sees when two threads, of one JVM or of several, are inside of the same lock: the
 * memory that they share has one counter per key.
 */
final class ExclusionCheck {

	private final SharedLongs inside;

	private final LongAdder violations = new LongAdder();

	ExclusionCheck(Path file, int keys) {
		try {
			this.inside = new SharedLongs(file, keys);
		}
		catch (IOException ex) {
			throw new UncheckedIOException(ex);
		}
	}

	/** The calling thread believes that it holds the lock of a key. */
	void enter(int key) {
		if (this.inside.getAndAdd(key, 1) != 0) {
			this.violations.increment();
		}
	}

	/** The calling thread is about to release the lock. */
	void leave(int key) {
		this.inside.getAndAdd(key, -1);
	}

	/** Returns how often somebody entered while somebody else was inside. */
	long violations() {
		return this.violations.sum();
	}

}
